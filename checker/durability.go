package checker

import (
	"fmt"
	"sort"

	"github.com/etcd-holdfast/holdfast/history"
)

// Durability: a write that was acknowledged is in the store. The reply names the
// revision that the write made; the revision log, where it covers that revision,
// must have the value there. So nothing is searched, and the check is exact.
//
// A grant or a write is lost, too, if a linearizable read found the store at an
// earlier revision than that at which it was made; see rolledBack.
//
// It is judged of the writes whose value and key are known: those on a register,
// and those guarded by a key. Of acknowledged acquires ownership finds the same,
// and of transfers total.
func durability(r *record, s *subject) *judgement {
	j := &judgement{}
	var acknowledged, unjudged int
	for _, ob := range s.objects {
		for _, op := range ob.operations {
			switch {
			case op.Outcome != history.Ok || op.Revision == 0:
				continue
			case op.Kind == history.GuardedWrite, s.Layout == history.OneKey && (op.Kind == history.Put || op.Kind == history.CompareAndSet):
			default:
				continue
			}
			acknowledged++
			if !r.covers(op.Revision, op.Revision) {
				unjudged++
				continue
			}
			if !r.wrote(s, ob, op) {
				j.findings = append(j.findings, r.vanished(s, ob, op))
			}
		}
	}
	lost := r.lostByRollback(s)
	if acknowledged == 0 && len(lost) == 0 {
		return nil
	}
	missing := len(j.findings) + len(lost)
	j.findings = append(lost, j.findings...)
	j.figures = map[string]float64{"acknowledged": float64(acknowledged), "missing": float64(missing), "unjudged": float64(unjudged)}
	j.holds = fmt.Sprintf("each of %s is in the store at the revision that it was told", count(acknowledged, "acknowledged write"))
	if unjudged > 0 {
		j.unknown = fmt.Sprintf("%d of %s cannot be judged: the revision log does not cover them", unjudged, count(acknowledged, "acknowledged write"))
	}
	return j
}

// wrote is true if the revision that an operation was told has what it wrote.
func (r *record) wrote(s *subject, ob *object, op *history.Operation) bool {
	key := r.h.Header.ObjectPrefix(s.Name, ob.name) + "/value"
	if op.Kind == history.GuardedWrite {
		key = r.h.Header.GuardedKey(s.Name, ob.name)
	}
	changes := r.log.Changes
	first := sort.Search(len(changes), func(k int) bool { return changes[k].Revision >= op.Revision })
	for ; first < len(changes) && changes[first].Revision == op.Revision; first++ {
		if c := &changes[first]; c.Key == key && !c.Deleted && c.Value == op.Value {
			return true
		}
	}
	return false
}

// vanished is the violation of an acknowledged write that the log lacks.
func (r *record) vanished(s *subject, ob *object, op *history.Operation) finding {
	f := finding{}
	f.Violation = Violation{Blame: BlameServer, Call: op.Kind, Cause: "acknowledged, and not in the log", Witness: []int64{op.ID}, From: op.Call, To: op.Return, Object: ob.name}
	if op.Kind != history.GuardedWrite { // which the harness itself sends
		f.Blame = s.storeBlame()
	}
	f.tell = func() string {
		return fmt.Sprintf("%s was told at %s that its %s of %q to %s, called at %s, made rev %d, and the revision log, which covers rev %d, does not have it there",
			op.Client, at(op.Return), op.Kind, op.Value, history.Called(ob.name), at(op.Call), op.Revision, op.Revision)
	}
	return f
}
