package faults

import "context"

// Count counts how often an event has happened to some clients of a subject,
// from when it was made.
type Count struct {
	lookout *Lookout
	watch
	n       int
	changed chan struct{}
}

// Count begins to count an event that happens at an instant. If slots are given,
// only clients in them count; subjectSlots are all of the subject's.
func (l *Lookout) Count(subject string, slots, subjectSlots []string, event Event) *Count {
	c := &Count{lookout: l, watch: watch{subject: subject, slots: subjectSlots, event: event}, changed: make(chan struct{})}
	if len(slots) > 0 {
		c.slots, c.roled = slots, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts = append(l.counts, c)
	return c
}

// Await returns when the event has happened n times, or with its error when ctx
// has ended before.
func (c *Count) Await(ctx context.Context, n int) error {
	for {
		c.lookout.mu.Lock()
		counted, changed := c.n, c.changed
		c.lookout.mu.Unlock()
		if counted >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// heard takes note of what happened. Lookout.mu is locked.
func (c *Count) heard(o occurrence) {
	if o.event == c.event && c.watch.counts(o) {
		c.n++
		close(c.changed)
		c.changed = make(chan struct{})
	}
}
