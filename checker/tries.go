package checker

import (
	"fmt"
	"slices"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// waited judges a try: it does not wait for anybody, and so answers within the grace
// of a deadline, unless a fault keeps its answer from it. What other calls took
// meanwhile that wait for nobody either is the machine's doing, or the cluster's, and
// is allowed a try too.
func (r *record) waited(s *subject, op *history.Operation) *finding {
	took := op.Return - op.Call
	if op.Kind != history.TryAcquire || !op.Completed() || op.Breach != "" || took <= r.o.DeadlineGrace ||
		r.harmed(op.Client, op.Call-faultsFelt, op.Return) || took <= r.o.DeadlineGrace+r.slowness(op.Call, op.Return) {
		return nil
	}
	f := r.breach(s, op, op.Return, "a try waited", func() string {
		return fmt.Sprintf("%s's %s of %s, called at %s, returned at %s: a try has to answer at once, and it took %s", op.Client, op.Kind, history.Called(op.Object), at(op.Call), at(op.Return), span(took))
	})
	return &f
}

// answersAtOnce are the kinds of calls that wait for no other client, made of a
// request or two.
var answersAtOnce = []history.Kind{
	history.Release, history.Resign, history.Proclaim, history.Leader, history.Read, history.Write, history.FencedRead, history.FencedWrite,
	history.GuardedWrite, history.Enqueue, history.Get, history.Put, history.CompareAndSet, history.Audit,
}

// slowness is the longest time that a call took which has to answer at once, lasted at
// some time within an interval, and was kept by no fault.
func (r *record) slowness(from, to time.Duration) time.Duration {
	var longest time.Duration
	for i := range r.h.Operations {
		op := &r.h.Operations[i]
		if op.Completed() && op.Call <= to && op.Return >= from && op.Return-op.Call > longest && slices.Contains(answersAtOnce, op.Kind) &&
			!r.harmed(op.Client, op.Call-faultsFelt, op.Return) {
			longest = op.Return - op.Call
		}
	}
	return longest
}
