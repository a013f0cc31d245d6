package faults

import (
	"context"
	"sync"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// Lookout knows from the records of a run which clients are waiting and which
// are holding, and for how long. Hear must be given every record.
type Lookout struct {
	clock *history.Clock

	mu      sync.Mutex
	waiting map[int64]state
	holding map[int64]state
	struck  map[int64]bool
	changed chan struct{}
	awaited int
}

type state struct {
	client, subject string
	since           time.Duration
	// holds is true if success begins a hold.
	holds bool
}

// NewLookout returns a lookout on the records of a run with the given clock.
func NewLookout(clock *history.Clock) *Lookout {
	return &Lookout{clock: clock, waiting: make(map[int64]state), holding: make(map[int64]state), struck: make(map[int64]bool), changed: make(chan struct{})}
}

// Hear takes note of a record.
func (l *Lookout) Hear(r history.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case r.Operation != nil && (r.Operation.Kind.Acquires() || r.Operation.Kind.Waits()):
		l.waiting[r.Operation.ID] = state{r.Operation.Client, r.Operation.Subject, r.Time, r.Operation.Kind.Acquires()}
	case r.Operation != nil && r.Operation.Kind.Releases():
		delete(l.holding, r.Operation.Hold)
	case r.Completion != nil:
		s, ok := l.waiting[r.Completion.ID]
		if !ok {
			return
		}
		delete(l.waiting, r.Completion.ID)
		if r.Completion.Outcome == history.Ok && s.holds {
			s.since = r.Time
			l.holding[r.Completion.ID] = s
		}
	case r.Event != nil && (r.Event.Kind == history.Crashed || r.Event.Kind == history.Lost && r.Event.Heeded):
		forget(l.holding, r.Event.Client)
		if r.Event.Kind == history.Crashed {
			forget(l.waiting, r.Event.Client)
		}
	default:
		return
	}
	if l.awaited > 0 {
		close(l.changed)
		l.changed = make(chan struct{})
	}
}

func forget(states map[int64]state, client string) {
	for id, s := range states {
		if s.client == client {
			delete(states, id)
		}
	}
}

// Await returns the client to which t happens first, or "" if ctx ends before.
// Each operation counts once in a run: two faults at once on one client would
// each see the other's effect.
func (l *Lookout) Await(ctx context.Context, t Trigger) string {
	l.mu.Lock()
	l.awaited++
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		l.awaited--
		l.mu.Unlock()
	}()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		client, left, changed := l.strike(t)
		if client != "" && left <= 0 {
			return client
		}
		var due <-chan time.Time
		if client != "" {
			timer.Reset(left)
			due = timer.C
		}
		select {
		case <-due:
		case <-changed:
		case <-ctx.Done():
		}
	}
	return ""
}

// strike returns the client to which t has happened, whose operation then does
// not count any more. If it has happened to several, it is the one to which it happened last: a waiter
// with the most others before it, which is the one whose lease can end before
// its turn comes. If it has happened to none, left is how much longer the first
// one needs.
func (l *Lookout) strike(t Trigger) (client string, left time.Duration, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	states := l.waiting
	if t.Event == Holding {
		states = l.holding
	}
	now := l.clock.Now()
	var best state
	var operation int64
	for id, s := range states {
		if s.subject != t.Subject || l.struck[id] {
			continue
		}
		happened, bestHappened := now-s.since >= t.Longer, now-best.since >= t.Longer
		switch {
		case best.client == "", happened && !bestHappened,
			happened && s.since > best.since, !happened && !bestHappened && s.since < best.since:
			best, operation = s, id
		}
	}
	if left = best.since + t.Longer - now; best.client != "" && left <= 0 {
		l.struck[operation] = true
	}
	return best.client, left, l.changed
}
