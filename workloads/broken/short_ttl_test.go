package broken

import "testing"

// A holds and works on, its session alive; B gets the lock after a second.
func TestShortTTLLosesTheLockDuringTheWork(t *testing.T) {
	a, b, prefix := open(t), open(t), prefixOf(t)
	subject := subjectNamed(t, "short-ttl")
	first, second := subject.NewLock(a, prefix), subject.NewLock(b, prefix)
	grant := mustHold(t, first.Acquire)
	mustHold(t, second.Acquire)
	select {
	case <-a.Session.Done():
		t.Error("the first holder's session has ended")
	default:
	}
	if exists(t, b.Client, grant) {
		t.Error("the first holder's key still exists")
	}
	// The first lock makes a new lease when it finds its old one over.
	mustHold(t, first.Acquire)
}
