package broken

import (
	"context"
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

// A holds, B waits and gives up, C gets the lock that A holds.
func TestUnlockByAnyoneLosesTheLockToAWaiterThatGaveUp(t *testing.T) {
	a, b, c, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
	subject := testetcd.Named(t, Subjects(), "unlock-by-anyone")
	first, second, third := subject.NewLock(a, prefix), subject.NewLock(b, prefix), subject.NewLock(c, prefix)
	grant := testetcd.MustHold(t, first.Acquire)
	ctx, cancel := context.WithCancel(testetcd.Within(t))
	defer cancel()
	waiting := testetcd.StartWaiting(t, b, func() (workloads.Grant, error) { return second.Acquire(ctx) })
	cancel()
	if o := testetcd.Result(t, waiting); o.Err == nil {
		t.Fatal("the waiter was not cancelled")
	}
	if testetcd.Exists(t, a.Client, grant) {
		t.Error("the bug is gone: the holder's key is still there")
	}
	testetcd.MustHold(t, third.Acquire)
}
