package reports

import "github.com/etcd-holdfast/holdfast/checker"

// headline is what the reader sees first.
type headline struct {
	meaning
	Overall  string
	Tested   string // what was survived, for a run that holds
	Where    string // subject and property
	Sentence string
	Blame    meaning
	Known    string
	Link     string
}

func newHeadline(r *Report, all []*group) headline {
	result := r.result()
	out := headline{meaning: verdictMeaning(&checker.Property{Verdict: result.Verdict}), Overall: overall(result)}
	if result.Verdict == checker.Violated && len(all) > 0 {
		out.worst(all[0])
		return out
	}
	for i := range result.Properties {
		if p := &result.Properties[i]; p.Verdict == result.Verdict && result.Verdict != checker.Holds {
			out.Where, out.Sentence = title(p.Subject, p.Property), sentence(p)
			return out
		}
	}
	if result.Verdict == checker.Holds && len(result.Properties) > 0 {
		out.Tested = tested(r, len(all) > 0)
		if len(all) > 0 {
			out.worst(all[0])
		}
	}
	return out
}

// worst points to the worst group, which comes first.
func (h *headline) worst(g *group) {
	h.Where, h.Sentence = title(g.Subject, g.Property), g.Violations[0].Sentence
	h.Blame, h.Known, h.Link = blameMeaning(g.Property, g.Blame, g.Known), g.Known, groupID(0)
}

// tested says under what the promises held.
func tested(r *Report, allowed bool) string {
	h := r.history()
	verified := 0
	for i := range h.Faults {
		if h.Faults[i].Verified {
			verified++
		}
	}
	through := " through " + plural(len(h.Operations), "operation") + " and " + plural(verified, "verified fault") + " in " + lasting(h.End)
	if r.Ended != "" && r.Ended != Complete {
		through += ", as far as the record goes"
	}
	if allowed {
		return "Nothing that fails a run happened" + through + ". What is allowed did happen; the worst of it:"
	}
	return "Every promise was put to the test and kept" + through + "."
}
