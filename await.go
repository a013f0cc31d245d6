package holdfast

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/etcd-holdfast/holdfast/faults"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// A script waits for an event as faults do, or for a fault. What it waits for is
// counted from the beginning of the run, so that it need not be waiting already
// when it happens.

// The events of faults, each with a kind of fault.
const (
	injectedEvent = "injected"
	healedEvent   = "healed"
)

// awaited is what scripts wait for.
type awaited struct {
	counts map[awaitKey]*faults.Count

	mu      sync.Mutex
	planned map[int64]string // the subject of each fault of the plan, "" of one without a moment
	struck  map[awaitKey]int
	changed chan struct{}
}

type awaitKey struct{ subject, slot, event string }

// awaitFor begins to count what the script of a crew will wait for.
func (r *run) awaitFor(crew *workloads.Crew) {
	a := &r.awaited
	if a.counts == nil {
		a.counts, a.struck, a.planned = make(map[awaitKey]*faults.Count), make(map[awaitKey]int), make(map[int64]string)
		a.changed = make(chan struct{})
		for _, p := range r.plan {
			a.planned[p.ID] = p.Subject
		}
	}
	for _, wait := range crew.Awaits() {
		event, err := faults.ParseEvent(wait.Event)
		if err != nil { // of a fault; validated
			continue
		}
		var slots []string
		if wait.Slot != "" {
			slots = []string{wait.Slot}
		}
		a.counts[awaitKey{crew.Subject(), wait.Slot, wait.Event}] = r.lookout.Count(crew.Subject(), slots, crew.Slots(), event)
	}
}

// await returns when an event has happened for the nth time, or ctx has ended.
func (r *run) await(ctx context.Context, subject, slot, event string, nth int) error {
	a := &r.awaited
	if c := a.counts[awaitKey{subject, slot, event}]; c != nil {
		return c.Await(ctx, nth)
	}
	for {
		a.mu.Lock()
		// A timed fault, of members or of any client, is no subject's: it counts for all.
		n, changed := a.struck[awaitKey{subject: subject, event: event}]+a.struck[awaitKey{event: event}], a.changed
		a.mu.Unlock()
		if n >= nth {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// strike takes note of a fault that was injected or healed. One that could not be has
// not done what a script waits for.
func (a *awaited) strike(f history.Fault) {
	if f.Uninjected || f.Error != "" {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.struck == nil {
		return
	}
	event := injectedEvent
	if f.To != 0 {
		event = healedEvent
	}
	a.struck[awaitKey{subject: a.planned[f.ID], event: event + " " + f.Kind}]++
	close(a.changed)
	a.changed = make(chan struct{})
}

// awaitable returns what is wrong with an event that a script waits for.
func awaitable(text string) error {
	if state, kind, ok := strings.Cut(text, " "); ok && (state == injectedEvent || state == healedEvent) {
		if _, exists := faults.Named(kind); !exists {
			return fmt.Errorf("there is no fault %q; see: holdfast list faults", kind)
		}
		return nil
	}
	event, err := faults.ParseEvent(text)
	switch {
	case err != nil:
		return fmt.Errorf("%w, injected FAULT, healed FAULT", err)
	case event.Lasts() || event.OnLinks():
		return errors.New(text + " is for faults only; a script can wait for what happens at an instant and is recorded, such as created, ok acquire or injected FAULT")
	}
	return nil
}
