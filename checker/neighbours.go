package checker

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// ownedInVain is how long an object must have been a client's own before a call
// that did not say so counts as held up: longer than an answer takes on a slow
// machine.
const ownedInVain = time.Second

// heldUpByNeighbours finds requests that ran out of patience although their key
// owned the object all the time and no fault kept their client from hearing of
// it, while a key of an object below theirs, as a/b is below a, was there before
// it and stayed.
func (r *record) heldUpByNeighbours(s *subject, ob *object) []finding {
	below := func(other *object) bool {
		rest, begins := strings.CutPrefix(other.name, ob.name)
		return begins && strings.HasPrefix(rest, "/")
	}
	if r.log == nil || s.Layout == history.NoLayout || !slices.ContainsFunc(s.objects, below) {
		return nil
	}
	var findings []finding
	for _, op := range ob.operations {
		if op.Kind != history.Acquire && op.Kind != history.Campaign || op.Outcome == history.Ok || !op.Completed() || op.Deadline == 0 || op.Return < op.Deadline ||
			r.harmed(op.Client, op.Call, op.Return) {
			continue
		}
		for i := range ob.tenures {
			t := &ob.tenures[i]
			until := min(r.log.Earliest(t.gone), op.Deadline)
			if t.Lease != op.Lease || t.Lease == 0 || t.neverOwned() || r.log.Latest(t.owns) > until-ownedInVain ||
				r.log.Earliest(t.Create) > op.Return || r.log.Latest(t.Create) < op.Call {
				continue
			}
			if neighbour := r.neighbour(s, ob, t, until); neighbour != nil {
				findings = append(findings, r.heldUp(s, ob, op, t, neighbour))
				break
			}
		}
	}
	return findings
}

// neighbour returns an older key of an object below ob, which was there until
// time t.
func (r *record) neighbour(s *subject, ob *object, own *tenure, until time.Duration) *tenure {
	for _, other := range s.objects {
		if !strings.HasPrefix(other.name, ob.name+"/") {
			continue
		}
		for i := range other.tenures {
			if n := &other.tenures[i]; n.Create < own.Create && r.log.Earliest(n.gone) >= until {
				return n
			}
		}
	}
	return nil
}

func (r *record) heldUp(s *subject, ob *object, op *history.Operation, own, neighbour *tenure) finding {
	f := finding{}
	f.Violation = Violation{Blame: s.culprit(), Call: op.Kind, Cause: "waited behind a key of another object", Witness: []int64{op.ID}, From: op.Call, To: op.Return, Object: ob.name}
	if s.Primitive == history.Mutex {
		f.Known = r.knownAs(s, "mutex-waits-for-neighbours")
	}
	f.tell = func() string {
		return fmt.Sprintf("%s's %s of %s, called at %s, had not ended at %s although its key owned %s since %s: the key %s (rev %d) of another object stood there",
			op.Client, op.Kind, history.Called(ob.name), at(op.Call), at(op.Deadline), history.Called(ob.name), r.revision(own.owns), neighbour.Key, neighbour.Create)
	}
	return f
}
