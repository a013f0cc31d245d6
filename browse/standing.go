package browse

import (
	"cmp"
	"fmt"

	"github.com/etcd-holdfast/holdfast/checker"
)

// standing is how a run or a property came out, as it is shown.
type standing struct {
	Word string
	// Sign says the same without colours.
	Sign string
	// Class is "good", "bad", "fair" or "none".
	Class string
	// rank orders them, the worst first.
	rank int
	// Means says what it is to say of a run.
	Means string
}

// The standings. Allowed is a violation by a known defect, or by a belief that
// outlived its lease, that does not fail the run.
var (
	violated  = standing{"violated", "✗", "bad", 0, "a promise was broken, and the run fails by it"}
	broken    = standing{"broken", "‼", "bad", 1, "its run.json or verdict.json cannot be read"}
	unknown   = standing{"unknown", "?", "fair", 2, "the record does not suffice to decide; this is no pass"}
	vacuous   = standing{"vacuous", "○", "fair", 3, "the run never put a promise to the test, or a planned moment never came; this is no pass"}
	unjudged  = standing{"not judged", "–", "none", 4, "there is no verdict.json: holdfast check DIR makes one"}
	underWay  = standing{"unfinished", "…", "none", 5, "it is under way, or was killed, and has not been judged"}
	allowed   = standing{"allowed", "!", "fair", 6, "it holds, with what is allowed: known defects, and beliefs that outlived their lease; judged strictly it would fail"}
	holds     = standing{"holds", "✓", "good", 7, "every promise that was put to the test was kept"}
	standings = []standing{violated, allowed, unknown, vacuous, holds, unjudged, underWay, broken}
)

// standingOf is that of a run: allowed if it holds all the same.
func standingOf(r *run) standing {
	switch {
	case r.Problem != "":
		return broken
	case r.Verdict == nil && r.Unfinished:
		return underWay
	case r.Verdict == nil:
		return unjudged
	}
	s := named(r.Verdict.Verdict)
	if s == holds {
		for i := range r.Verdict.Properties {
			if r.Verdict.Properties[i].standing() == allowed {
				return allowed
			}
		}
	}
	return s
}

// standing is that of a property: what verdict.json tells is its worst violation. An
// older one does not tell its effect.
func (p *property) standing() standing {
	s := named(p.Verdict)
	excused := p.Effect == checker.Holds || p.Effect == "" && (p.Known != "" || p.Blame == checker.BlameLease)
	if s == violated && excused {
		return allowed
	}
	return s
}

// worse orders properties, the worst first: of those that are allowed, what somebody
// got wrong comes before what leases cannot prevent.
func worse(a, b *property) int {
	lease := func(p *property) int {
		if p.standing() == allowed && p.Blame == checker.BlameLease {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(a.standing().rank, b.standing().rank), cmp.Compare(lease(a), lease(b)))
}

func named(v checker.Verdict) standing {
	switch v {
	case checker.Violated:
		return violated
	case checker.Unknown:
		return unknown
	case checker.Vacuous:
		return vacuous
	case checker.Holds:
		return holds
	}
	return standing{fmt.Sprintf("%.20q", string(v)), "?", "fair", unknown.rank, ""}
}
