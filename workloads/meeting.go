package workloads

import (
	"context"
	"sync"
)

// meetings are the groups of a double barrier's clients, by number.
type meetings struct {
	mu sync.Mutex
	by map[int]*meeting
}

// of returns a group of the given size.
func (m *meetings) of(group, size int) *meeting {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.by == nil {
		m.by = make(map[int]*meeting)
	}
	if m.by[group] == nil {
		m.by[group] = &meeting{size: size, members: make(map[string]*attendance), changed: make(chan struct{})}
	}
	return m.by[group]
}

// meeting lets the clients of one group begin together, so that nobody waits in
// a double barrier for somebody who does not come. It is the harness's own, and
// knows nothing of what the barrier does: a client begins if all of the group
// are ready, or if another has begun and not entered yet, which may wait for it.
type meeting struct {
	size int

	mu      sync.Mutex
	members map[string]*attendance // by slot
	changed chan struct{}          // closed and replaced at every change
	over    bool
}

// attendance is what the client of one slot is about.
type attendance struct {
	client *seat
	state  attending
	// well is true once it went well in the last round.
	well, last bool
}

type attending int

const (
	away     attending = iota
	ready              // to begin
	entering           // it may wait for the others
	inside
)

// begin waits until the client should enter. It returns false if ctx or the
// time for rounds ended before.
func (m *meeting) begin(ctx context.Context, c *seat, healed <-chan struct{}) bool {
	return m.wait(ctx, c, false, healed)
}

// beginLast waits until the client should enter in the last round. It returns
// false if the last round is over: everybody is out, and each was well in it.
func (m *meeting) beginLast(ctx context.Context, c *seat) bool {
	return m.wait(ctx, c, true, nil)
}

func (m *meeting) wait(ctx context.Context, c *seat, last bool, healed <-chan struct{}) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.members[c.slot]
	if a == nil || a.client != c {
		a = &attendance{client: c}
		m.members[c.slot] = a
	}
	a.state, a.last = ready, last
	m.change()
	for rounds := true; rounds && ctx.Err() == nil && !m.over; {
		if m.goes(c) {
			a.state = entering
			m.change()
			return true
		}
		if m.isOver() {
			m.over = true
			m.change()
			break
		}
		changed := m.changed
		m.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		case <-healed:
			rounds = false
		}
		m.mu.Lock()
	}
	a.state = away
	m.change()
	return false
}

// goes is true if a client that is ready should begin.
func (m *meeting) goes(c *seat) bool {
	allReady, allLast, allWell := len(m.members) == m.size, true, true
	for slot, a := range m.members {
		if slot != c.slot && a.state == entering && a.client.ctx.Err() == nil {
			return true
		}
		allReady = allReady && a.state == ready && a.client.ctx.Err() == nil
		allLast, allWell = allLast && a.last, allWell && a.well
	}
	return allReady && !(allLast && allWell)
}

// isOver is true if everybody is out and went well in the last round.
func (m *meeting) isOver() bool {
	if len(m.members) != m.size {
		return false
	}
	for _, a := range m.members {
		if !a.last || !a.well || a.state != ready {
			return false
		}
	}
	return true
}

// enter says that the client has entered.
func (m *meeting) enter(c *seat) { m.set(c, inside, false) }

// end says that the client is out, and whether all went well.
func (m *meeting) end(c *seat, well bool) { m.set(c, away, well) }

func (m *meeting) set(c *seat, state attending, well bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a := m.members[c.slot]; a != nil && a.client == c {
		a.state = state
		a.well = a.well || well && a.last
		m.change()
	}
}

// change tells those who wait. It is called with the lock.
func (m *meeting) change() {
	close(m.changed)
	m.changed = make(chan struct{})
}
