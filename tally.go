package holdfast

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// tally counts what the status line tells.
type tally struct{ calls, failed, unknown, lost, crashed atomic.Int64 }

func (t *tally) hear(r history.Record) {
	switch {
	case r.Operation != nil:
		t.calls.Add(1)
	case r.Completion != nil && r.Completion.Outcome == history.Ok:
		// what went well is the rest
	case r.Completion != nil && r.Completion.Outcome == history.Fail:
		t.failed.Add(1)
	case r.Completion != nil:
		t.unknown.Add(1)
	case r.Event.Kind == history.Lost && r.Event.Operation == 0:
		t.lost.Add(1)
	case r.Event.Kind == history.Crashed:
		t.crashed.Add(1)
	}
}

// String is the tally at a time on the run's clock.
func (t *tally) String(now time.Duration) string {
	calls := t.calls.Load()
	return fmt.Sprintf("%7.3fs  %d operations (%.0f/s), %d failed, %d unknown, %d sessions lost, %d clients crashed",
		now.Seconds(), calls, float64(calls)/now.Seconds(), t.failed.Load(), t.unknown.Load(), t.lost.Load(), t.crashed.Load())
}
