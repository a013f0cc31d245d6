package broken

import (
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

// A holds and works on, its session alive; B gets the lock after a second.
func TestShortTTLLosesTheLockDuringTheWork(t *testing.T) {
	a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
	subject := testetcd.Named(t, Subjects(), "short-ttl")
	first, second := subject.NewLock(a, prefix), subject.NewLock(b, prefix)
	grant := testetcd.MustHold(t, first.Acquire)
	testetcd.MustHold(t, second.Acquire)
	select {
	case <-a.Session.Done():
		t.Error("the first holder's session has ended")
	default:
	}
	if testetcd.Exists(t, b.Client, grant) {
		t.Error("the first holder's key still exists")
	}
	// The first lock makes a new lease when it finds its old one over.
	testetcd.MustHold(t, first.Acquire)
}
