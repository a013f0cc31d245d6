package broken

import (
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

// A writes, B writes beside it; a reader still waits for both.
func TestTwoWritersHoldAtATime(t *testing.T) {
	a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
	subject := testetcd.Named(t, Subjects(), "two-writers")
	first, second := subject.NewRWLock(a, prefix), subject.NewRWLock(b, prefix)
	one, two := testetcd.MustHold(t, first.Acquire), testetcd.MustHold(t, second.Acquire)
	if !testetcd.Exists(t, a.Client, one) || !testetcd.Exists(t, b.Client, two) {
		t.Error("the writers do not hold at the same time")
	}
}
