package checker

import (
	"fmt"
	"sort"

	"github.com/etcd-holdfast/holdfast/history"
)

// Passage: who passes a barrier met it open at some time during the call.
// For double barriers see entrances.
//
// The log gives the revisions between which each key of the barrier was there.
// A pass is false if one key was surely there from before its call until after
// its return, under every assignment of times within the log's bounds. With a
// barrier of one key and bounds of zero width that is exact.
func passage(r *record, s *subject) *judgement {
	switch {
	case s.Primitive == history.Barrier && s.Layout == history.BarrierKeys:
	case s.Primitive == history.DoubleBarrier && s.Layout == history.MemberKeys:
		return entrances(r, s)
	default:
		return nil
	}
	j := &judgement{}
	passed, waited, unjudged := 0, 0, 0
	for _, ob := range s.objects {
		longest := make([]int, len(ob.tenures)) // of the tenures up to here: which stays longest
		for i := range ob.tenures {
			longest[i] = i
			if i > 0 && ob.tenures[longest[i-1]].gone >= ob.tenures[i].gone {
				longest[i] = longest[i-1]
			}
		}
		for _, op := range ob.operations {
			if op.Kind != history.Pass || op.Outcome != history.Ok {
				continue
			}
			passed++
			if r.log == nil {
				unjudged++
				continue
			}
			// Keys that were surely there at the call.
			n := sort.Search(len(ob.tenures), func(k int) bool { return r.log.Latest(ob.tenures[k].Create) >= op.Call })
			if n > 0 {
				t := &ob.tenures[longest[n-1]]
				if r.log.Earliest(t.gone) > op.Call {
					waited++
				}
				if r.log.Earliest(t.gone) > op.Return {
					j.findings = append(j.findings, r.passedClosed(s, op, t))
					continue
				}
			}
			if !r.seesAllBy(r.log.Start, op.Return) {
				unjudged++
			}
		}
	}
	j.figures = map[string]float64{"passed": float64(passed), "waited": float64(waited), "false": float64(len(j.findings)), "unjudged": float64(unjudged)}
	j.holds = fmt.Sprintf("%s met the barrier open, %d after a wait", count(passed, "pass"), waited)
	if unjudged > 0 {
		j.unknown = fmt.Sprintf("%d of %s cannot be judged: the revision log does not cover them", unjudged, count(passed, "pass"))
	}
	if waited == 0 {
		j.vacuous = "nobody who passed had met a closed barrier"
	}
	return j
}

func (r *record) passedClosed(s *subject, op *history.Operation, t *tenure) finding {
	f := finding{}
	f.Violation = Violation{Blame: s.culprit(), Known: r.known(s, Passage, op, t), Call: op.Kind, Cause: "passed while it was closed", Witness: []int64{op.ID}, From: op.Call, To: op.Return, Object: op.Object}
	f.tell = func() string {
		return fmt.Sprintf("%s was told at %s that it passed %s (pass called at %s), but the barrier was closed all that time: its key was put at %s and %s",
			op.Client, at(op.Return), history.Called(op.Object), at(op.Call), r.revision(t.Create), r.deletion(t.Life))
	}
	return f
}
