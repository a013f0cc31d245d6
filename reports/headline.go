package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
)

// headline is what the reader sees first: what went wrong, who is to blame, and
// the picture of it.
type headline struct {
	meaning
	Title    string // in words that need no glossary
	Overall  string
	Fate     string // what it does to a build
	Counts   string // Overall beside Fate
	Tested   string // what was survived, for a run that holds
	Where    string // subject and property
	Subject  string
	Sentence string
	Blame    meaning
	Known    string
	Issue    string // where the known issue can be read
	Link     string
	Others   []other
	Unnamed  int      // subjects beside Others
	Reported []string // what was lost where nothing fenced it
	Picture  *shown   // of the violation that is told
}

// other is a group of violations beside the worst.
type other struct{ Title, Blame, Known, Link string }

func newHeadline(r *Report, all []*group) headline {
	result := r.result()
	out := headline{meaning: verdictMeaning(&checker.Property{Verdict: result.Verdict}), Overall: overall(result), Reported: reported(result)}
	if out.Word == "" {
		out.Word = "not judged"
	}
	out.Title = out.Overall
	out.Fate = fate(result)
	out.Counts = strings.TrimPrefix(out.Overall, string(checker.Violated)+": ")
	if rest, holds := strings.CutPrefix(out.Overall, string(checker.Holds)); holds && out.Fate != "" {
		out.Counts = strings.TrimPrefix(rest, ", with ")
	}
	if result.Verdict == checker.Violated && len(all) > 0 {
		out.worst(&r.history().Header, all[0])
		out.others(all)
		if onPurpose(&r.history().Header, result) {
			out.Fate += ", as it should: only what is broken on purpose did fail"
			out.Word = "violated, on purpose"
		}
		return out
	}
	for i := range result.Properties {
		if p := &result.Properties[i]; p.Verdict == result.Verdict && result.Verdict != checker.Holds {
			out.Where, out.Sentence = title(p.Subject, p.Property), sentence(p)
			break
		}
	}
	switch {
	case result.Verdict == checker.Unknown:
		out.Title = "It could not be decided whether every promise was kept"
	case result.Verdict == checker.Vacuous:
		out.Title = "This run proves too little: not everything was put to the test"
	case result.Verdict == checker.Holds && len(result.Properties) > 0:
		out.Tested = tested(r)
		out.Title = "Every promise was put to the test and kept"
		if len(all) > 0 {
			out.allowed(&r.history().Header, all[0])
			out.others(all)
		}
	}
	return out
}

// onPurpose is true if all that makes a run fail are planted bugs. Judged strictly,
// known defects do so too.
func onPurpose(h *history.Header, result *checker.Result) bool {
	any := false
	for i := range result.Properties {
		p := &result.Properties[i]
		if p.Effect != checker.Violated {
			continue
		}
		any = true
		if s, _ := h.Subject(p.Subject); s.Origin != history.Broken {
			return false
		}
	}
	return any
}

// fate says what the run's verdict does to a build that runs it.
func fate(result *checker.Result) string {
	switch {
	case len(result.Properties) == 0 && result.Verdict == checker.Holds:
		return ""
	case result.Exit == 0:
		return "The build passes (exit 0)"
	}
	return fmt.Sprintf("The build fails (exit %d)", result.Exit)
}

// allowed points to the worst of what does not fail the run.
func (h *headline) allowed(header *history.Header, g *group) {
	h.worst(header, g)
	h.Class, h.Sign, h.Word = "fair", "!", "passes: the defect is known"
	if g.Known == "" {
		h.Word = "passes: lease overlaps are allowed"
	}
}

// worst points to the worst group, which comes first.
func (h *headline) worst(header *history.Header, g *group) {
	v := g.Violations[0]
	h.Where, h.Subject, h.Sentence = title(g.Subject, g.Property), g.Subject, v.Sentence
	h.Blame, h.Known, h.Issue, h.Link = g.blamed(header), g.Known, issueLink(g.Known), groupID(0)
	h.Title = g.plainly()
}

// maxOthers is how many groups the first screen names beside the worst.
const maxOthers = 6

// others are the groups beside the worst that fail the run too, one for each
// subject and the worst of it.
func (h *headline) others(all []*group) {
	told := map[string]bool{all[0].Subject: true}
	for i, g := range all[1:] {
		if g.rank() != all[0].rank() {
			break
		}
		if told[g.Subject] {
			continue
		}
		told[g.Subject] = true
		if len(h.Others) == maxOthers {
			h.Unnamed++
			continue
		}
		h.Others = append(h.Others, other{Title: g.plainly(), Blame: string(g.Blame), Known: g.Known, Link: groupID(i + 1)})
	}
}

// show adds the picture of the violation that is told, whose section comes first.
func (h *headline) show(all []*section) {
	if h.Link != "" && len(all) > 0 && len(all[0].Violations) > 0 {
		h.Picture = &all[0].Violations[0]
	}
}

// plainly is a group's violation in plain words, with the subject that it is of.
func (g *group) plainly() string {
	words := g.words()
	if g.Subject == "" {
		return capitalised(words)
	}
	return g.Subject + ": " + words
}

// tested says under what the promises held.
func tested(r *Report) string {
	h := r.history()
	verified := 0
	for i := range h.Faults {
		if h.Faults[i].Verified {
			verified++
		}
	}
	through := plural(len(h.Operations), "operation") + " and " + plural(verified, "verified fault") + " in " + lasting(h.End)
	if r.Ended != "" && r.Ended != Complete {
		through += ", as far as the record goes"
	}
	return through + "."
}

// reported is what resources without a fence lost, the greatest share first.
func reported(result *checker.Result) []string {
	var some []*checker.Property
	for i := range result.Properties {
		if p := &result.Properties[i]; lossy(p) {
			some = append(some, p)
		}
	}
	slices.SortStableFunc(some, func(a, b *checker.Property) int {
		return int(1000 * (b.Figures["lost_percent"] - a.Figures["lost_percent"]))
	})
	var out []string
	for _, p := range some {
		out = append(out, subjectName(p.Subject)+" "+share(p))
	}
	return out
}

// lossy is true if a property is the measurement of damage and there was some.
func lossy(p *checker.Property) bool {
	return p.Property == checker.Damage && p.Verdict == checker.Holds && p.Figures["lost"] > 0
}

// share is "lost 5.1 % (6 of 117 updates)".
func share(p *checker.Property) string {
	return fmt.Sprintf("lost %s %% (%s of %s updates)", number(p.Figures["lost_percent"]), number(p.Figures["lost"]), number(p.Figures["written"]))
}
