package broken

import "testing"

// A writes, B writes beside it; a reader still waits for both.
func TestTwoWritersHoldAtATime(t *testing.T) {
	a, b, prefix := open(t), open(t), prefixOf(t)
	subject := subjectNamed(t, "two-writers")
	first, second := subject.NewRWLock(a, prefix), subject.NewRWLock(b, prefix)
	one, two := mustHold(t, first.Acquire), mustHold(t, second.Acquire)
	if !exists(t, a.Client, one) || !exists(t, b.Client, two) {
		t.Error("the writers do not hold at the same time")
	}
}
