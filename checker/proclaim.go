package checker

import (
	"fmt"
	"slices"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// falseProclaims are an object's proclaims that reported success and were none.
func (r *record) falseProclaims(s *subject, ob *object) []finding {
	var found []finding
	for _, op := range ob.operations {
		if op.Kind != history.Proclaim || op.Outcome != history.Ok {
			continue
		}
		if f := r.falseProclaim(s, ob, op); f != nil {
			found = append(found, *f)
		}
	}
	return found
}

// falseProclaim is a proclaim that reported success although the leader's key was
// surely gone before its call, or although its value was never written.
func (r *record) falseProclaim(s *subject, ob *object, op *history.Operation) *finding {
	h := r.holdOf(op.Hold)
	if r.log == nil || h == nil {
		return nil
	}
	life := r.lifeOf(h.Key, h.Token)
	if t, _ := ob.identified(h.Key, h.Token); t != nil {
		life = t.Life
	}
	if life == nil {
		return nil
	}
	what, cause := "", ""
	switch {
	case life.Delete != 0 && r.log.Latest(life.Delete) < op.Call:
		what, cause = fmt.Sprintf("its key %s, before the call", r.deletion(life)), r.lossOf(life)+" before the call"
	case r.neverWritten(ob, life, op):
		what, cause = "the revision log, which covers the call, has no key with that value", "its value was never written"
		if life.Delete != 0 && r.log.Earliest(life.Delete) <= op.Return {
			what += fmt.Sprintf("; its key %s", r.deletion(life))
		}
	default:
		return nil
	}
	f := &finding{}
	f.Violation = Violation{Blame: s.culprit(), Cause: cause, Witness: []int64{op.Hold, op.ID}, From: op.Call, To: op.Return, Object: op.Object}
	follows := ""
	if lie := s.lies[op.Hold]; lie != nil {
		f.Blame, f.Known, f.Cause = lie.Blame, lie.Known, following(lie)
		follows = "; its leadership was never true: " + lie.clause()
	}
	f.tell = func() string {
		return fmt.Sprintf("%s was told at %s that it proclaimed %q as the leader of %s (called at %s), but %s%s",
			op.Client, at(op.Return), op.Value, history.Called(op.Object), at(op.Call), what, follows)
	}
	return f
}

// neverWritten is true if no change of any key that may have happened by the
// return of a proclaim has its value. Values are unique in a run, so that whoever
// wrote it is not asked; nor where, so that a subject which keeps it elsewhere
// tells no lie. That the subject keeps values as they are is taken from the
// leader's key, which has to have had one that a client gave it.
func (r *record) neverWritten(ob *object, life *history.Life, op *history.Operation) bool {
	if op.Value == "" || !r.seesAllBy(r.log.Start, op.Return) || r.firstWritten(op.Value) <= op.Return {
		return false
	}
	return slices.ContainsFunc(ob.operations, func(given *history.Operation) bool {
		return given.Value != "" && given.Kind != history.Leader &&
			slices.ContainsFunc(life.Values, func(c history.Change) bool { return c.Value == given.Value })
	})
}

// firstWritten is the earliest time at which a value may have been written to any
// key, or history.Never.
func (r *record) firstWritten(value string) time.Duration {
	if r.written == nil {
		r.written = make(map[string]int64)
		for i := range r.log.Changes {
			c := &r.log.Changes[i]
			if _, known := r.written[c.Value]; !known && !c.Deleted {
				r.written[c.Value] = c.Revision
			}
		}
	}
	if revision, ok := r.written[value]; ok {
		return r.log.Earliest(revision)
	}
	return history.Never
}
