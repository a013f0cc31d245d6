package broken

import (
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

// A holds, B waits, B's lease ends, A releases: B is told that it holds, and C
// that comes afterwards is told so too.
func TestNoLeaseCheckHoldsWithoutAKey(t *testing.T) {
	a, b, c, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
	subject := testetcd.Named(t, Subjects(), "no-lease-check")
	first, second, third := subject.NewLock(a, prefix), subject.NewLock(b, prefix), subject.NewLock(c, prefix)
	testetcd.MustHold(t, first.Acquire)
	waiting := testetcd.StartWaiting(t, b, func() (workloads.Grant, error) { return second.Acquire(testetcd.Within(t)) })
	testetcd.Revoke(t, a, b)
	testetcd.Must(t, first.Release)
	o := testetcd.Result(t, waiting)
	if o.Err != nil {
		t.Fatalf("the bug is gone: %v", o.Err)
	}
	if testetcd.Exists(t, a.Client, o.Grant) {
		t.Errorf("the key of %+v exists", o.Grant)
	}
	testetcd.MustHold(t, third.Acquire)
}
