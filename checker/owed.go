package checker

import (
	"sort"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// owed is true if a call that waits had all that it waited for, surely and for
// longer than the grace, when the final phase began. Locks and elections are
// always owed: their clients give them back. A queue need not have an item, nor
// a barrier be open: where the log does not show it, nothing is owed.
func (r *record) owed(s *subject, ob *object, op *history.Operation) bool {
	if op.Kind.Acquires() {
		return true
	}
	if s.Layout == history.NoLayout || r.log == nil || !r.seesAllBy(r.log.Start, r.final) {
		return false
	}
	since, ok := r.servedSince(s, ob, op)
	return ok && r.final-max(since, op.Call, r.healed) >= r.o.Grace
}

// servedSince is the time since when, until the final phase, the call could
// surely have been served.
func (r *record) servedSince(s *subject, ob *object, op *history.Operation) (time.Duration, bool) {
	var standing []time.Duration // since when keys are there that stay
	empty := time.Duration(0)    // since when no other key is
	for i := range ob.tenures {
		t := &ob.tenures[i]
		if s.Layout == history.MemberKeys && !r.isMember(s, ob, t.Life) {
			continue
		}
		switch {
		case r.log.Earliest(t.gone) > r.final:
			standing = append(standing, r.log.Latest(t.Create))
			if t.Lease != op.Lease || t.Lease == 0 {
				empty = history.Never
			}
		case t.Lease != op.Lease || t.Lease == 0:
			empty = max(empty, r.log.Latest(t.gone))
		}
	}
	sort.Slice(standing, func(i, k int) bool { return standing[i] < standing[k] })
	switch op.Kind {
	case history.Dequeue:
		if len(standing) > 0 {
			return standing[0], true
		}
	case history.Pass, history.Leave:
		return empty, empty != history.Never
	case history.Enter:
		if n := max(s.Permits, 1); len(standing) >= n {
			return standing[n-1], true
		}
	}
	return 0, false
}

// owing says what a call that did not finish had waited for.
func owing(op *history.Operation) string {
	switch op.Kind {
	case history.Dequeue:
		return "an item was there"
	case history.Pass:
		return "the barrier was open"
	case history.Enter:
		return "enough clients were there"
	}
	return "nobody else was in any more"
}
