package workloads

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// attendee is a client that only meets.
func attendee(t *testing.T, slot string) (*seat, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return &seat{name: slot, slot: slot, ctx: ctx}, cancel
}

// The last round of a group ends together, although not everybody goes well at
// once, and nobody is left to wait for the others.
func TestAGroupEndsItsLastRoundTogether(t *testing.T) {
	var all meetings
	m := all.of(0, 3)
	var group sync.WaitGroup
	var inside, rounds, together, left atomic.Int64
	for i, slot := range []string{"c1", "c2", "c3"} {
		c, _ := attendee(t, slot)
		group.Go(func() {
			for round := 0; m.beginLast(t.Context(), c); round++ {
				if inside.Add(1)%3 == 0 {
					rounds.Add(1)
					together.Add(3)
				}
				for together.Load() < int64(3*(round+1)) && t.Context().Err() == nil {
					runtime.Gosched() // as in a double barrier, all enter before one is in
				}
				m.enter(c)
				for left.Add(1); left.Load() < int64(3*(round+1)) && t.Context().Err() == nil; {
					runtime.Gosched() // and all leave before one is out
				}
				m.end(c, round >= i) // the third goes well in its third round
			}
		})
	}
	group.Wait()
	if n := rounds.Load(); n != 3 || inside.Load() != 9 {
		t.Errorf("%d rounds and %d entrances, want 3 and 9", n, inside.Load())
	}
}

// Who has begun is joined by one who is ready, without the third.
func TestWhoMayWaitIsJoined(t *testing.T) {
	var all meetings
	m := all.of(0, 3)
	waiter, _ := attendee(t, "c1")
	m.members["c1"] = &attendance{client: waiter, state: entering}
	joiner, _ := attendee(t, "c2")
	if !m.begin(t.Context(), joiner, nil) {
		t.Error("it was not joined")
	}
	m.end(joiner, true)
	// But not who is in already, nor the dead.
	m.enter(waiter)
	healed := make(chan struct{})
	close(healed)
	if m.begin(t.Context(), joiner, healed) {
		t.Error("who is in was joined")
	}
	dead, kill := attendee(t, "c3")
	m.members["c3"] = &attendance{client: dead, state: entering}
	kill()
	if m.begin(t.Context(), joiner, healed) {
		t.Error("the dead was joined")
	}
	// A replacement takes its place.
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	replacement, _ := attendee(t, "c3")
	m.end(waiter, true)
	var group sync.WaitGroup
	for _, c := range []*seat{waiter, joiner, replacement} {
		group.Go(func() {
			if !m.begin(ctx, c, nil) {
				t.Errorf("%s did not begin though all are ready", c.name)
			}
		})
	}
	group.Wait()
}
