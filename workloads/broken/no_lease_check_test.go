package broken

import (
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// A holds, B waits, B's lease ends, A releases: B is told that it holds, and C
// that comes afterwards is told so too.
func TestNoLeaseCheckHoldsWithoutAKey(t *testing.T) {
	a, b, c, prefix := open(t), open(t), open(t), prefixOf(t)
	subject := subjectNamed(t, "no-lease-check")
	first, second, third := subject.NewLock(a, prefix), subject.NewLock(b, prefix), subject.NewLock(c, prefix)
	mustHold(t, first.Acquire)
	waiting := startWaiting(t, b, func() (workloads.Grant, error) { return second.Acquire(within(t)) })
	revoke(t, a, b)
	must(t, first.Release)
	o := result(t, waiting)
	if o.err != nil {
		t.Fatalf("the bug is gone: %v", o.err)
	}
	if exists(t, a.Client, o.grant) {
		t.Errorf("the key of %+v exists", o.grant)
	}
	mustHold(t, third.Acquire)
}
