package broken

import (
	"context"
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// A holds, B waits and gives up, C gets the lock that A holds.
func TestUnlockByAnyoneLosesTheLockToAWaiterThatGaveUp(t *testing.T) {
	a, b, c, prefix := open(t), open(t), open(t), prefixOf(t)
	subject := subjectNamed(t, "unlock-by-anyone")
	first, second, third := subject.NewLock(a, prefix), subject.NewLock(b, prefix), subject.NewLock(c, prefix)
	grant := mustHold(t, first.Acquire)
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	waiting := startWaiting(t, b, func() (workloads.Grant, error) { return second.Acquire(ctx) })
	cancel()
	if o := result(t, waiting); o.err == nil {
		t.Fatal("the waiter was not cancelled")
	}
	if exists(t, a.Client, grant) {
		t.Error("the bug is gone: the holder's key is still there")
	}
	mustHold(t, third.Acquire)
}
