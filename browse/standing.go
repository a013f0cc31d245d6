package browse

import (
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
}

// The standings. Allowed is a violation by a known defect, or by a belief that
// outlived its lease, that does not fail the run.
var (
	violated  = standing{"violated", "✗", "bad", 0}
	broken    = standing{"broken", "‼", "bad", 1}
	unknown   = standing{"unknown", "?", "fair", 2}
	vacuous   = standing{"vacuous", "○", "fair", 3}
	unjudged  = standing{"not judged", "–", "none", 4}
	underWay  = standing{"unfinished", "…", "none", 5}
	allowed   = standing{"allowed", "!", "fair", 6}
	holds     = standing{"holds", "✓", "good", 7}
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

// standing is that of a property: what verdict.json tells is its worst violation.
func (p *property) standing() standing {
	s := named(p.Verdict)
	if s == violated && (p.Known != "" || p.Blame == checker.BlameLease) {
		return allowed
	}
	return s
}

func named(v checker.Verdict) standing {
	for _, s := range []standing{violated, unknown, vacuous, holds} {
		if s.Word == string(v) {
			return s
		}
	}
	return standing{fmt.Sprintf("%.20q", string(v)), "?", "fair", unknown.rank}
}
