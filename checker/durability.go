package checker

import (
	"fmt"

	"github.com/etcd-holdfast/holdfast/history"
)

// Durability: a write that was acknowledged is in the store. The reply names the
// revision that the write made; the revision log, where it covers that revision,
// must have the value there. So nothing is searched, and the check is exact.
//
// It is judged of the writes whose value and key are known: those on a register,
// and those guarded by a key. Of acknowledged acquires ownership finds the same,
// and of transfers total.
func durability(r *record, s *subject) *judgement {
	j := &judgement{}
	var acknowledged, unjudged int
	var written map[int64][]*history.Change
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
			if written == nil {
				written = r.changesByRevision()
			}
			if !r.wrote(s, ob, op, written[op.Revision]) {
				j.findings = append(j.findings, r.vanished(s, ob, op))
			}
		}
	}
	if acknowledged == 0 {
		return nil
	}
	j.figures = map[string]float64{"acknowledged": float64(acknowledged), "missing": float64(len(j.findings)), "unjudged": float64(unjudged)}
	j.holds = fmt.Sprintf("each of %s is in the store at the revision that it was told", count(acknowledged, "acknowledged write"))
	if unjudged > 0 {
		j.unknown = fmt.Sprintf("%d of %s cannot be judged: the revision log does not cover them", unjudged, count(acknowledged, "acknowledged write"))
	}
	return j
}

func (r *record) changesByRevision() map[int64][]*history.Change {
	by := make(map[int64][]*history.Change, len(r.log.Changes))
	for i := range r.log.Changes {
		c := &r.log.Changes[i]
		by[c.Revision] = append(by[c.Revision], c)
	}
	return by
}

// wrote is true if one of the changes is what an operation wrote.
func (r *record) wrote(s *subject, ob *object, op *history.Operation, changes []*history.Change) bool {
	key := r.h.Header.ObjectPrefix(s.Name, ob.name) + "/value"
	if op.Kind == history.GuardedWrite {
		key = r.h.Header.GuardedKey(s.Name, ob.name)
	}
	for _, c := range changes {
		if c.Key == key && !c.Deleted && c.Value == op.Value {
			return true
		}
	}
	return false
}

// vanished is the violation of an acknowledged write that the log lacks.
func (r *record) vanished(s *subject, ob *object, op *history.Operation) finding {
	f := finding{}
	f.Violation = Violation{Blame: BlameServer, Witness: []int64{op.ID}, From: op.Call, To: op.Return, Object: ob.name}
	if op.Kind != history.GuardedWrite { // which the harness itself sends
		f.Blame = s.storeBlame()
	}
	f.tell = func() string {
		return fmt.Sprintf("%s was told at %s that its %s of %q to %s, called at %s, made rev %d, and the revision log, which covers rev %d, does not have it there",
			op.Client, at(op.Return), op.Kind, op.Value, ob.name, at(op.Call), op.Revision, op.Revision)
	}
	return f
}
