package link

import (
	"sync"
	"sync/atomic"
	"time"
)

// Link is the way on which one party dials another. All methods are safe for
// concurrent use.
type Link struct {
	mu sync.Mutex
	// changed is signalled when a stall is lifted, when the last write under a
	// new stall has ended, and when connections are closed.
	changed *sync.Cond

	connections map[*connection]struct{}
	stats       Stats // without Open and Held
	removed     bool

	// How many impositions in force ask for each harm.
	cuts   int
	stalls [directions]int
	// writers counts the connections that are handing bytes to a receiver.
	writers [directions]int

	// What dialogues count, and who is shown the messages that they recognise.
	requests, keepAlives, blind atomic.Int64
	taps                        atomic.Pointer[[]*tap]
}

func newLink(from, to string) *Link {
	l := &Link{
		connections: make(map[*connection]struct{}),
		stats:       Stats{From: from, To: to},
	}
	l.changed = sync.NewCond(&l.mu)
	return l
}

// Impose puts the link into condition c until lift is called. Conditions add
// up: the link is cut, or stalled in a direction, as long as any imposition
// asks for it. When Impose returns, c is in force: connections are closed, and
// no byte passes in a stalled direction but those which the operating system
// was already given. lift may be called more than once, and at any time.
func (l *Link) Impose(c Condition) (lift func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.Cut {
		l.cuts++
		l.sever(&l.stats.Refused)
	}
	for d := range Direction(directions) {
		if c.stalls(d) {
			l.stall(d)
		}
	}
	return sync.OnceFunc(func() { l.lift(c) })
}

func (l *Link) lift(c Condition) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.Cut {
		l.cuts--
	}
	for d := range Direction(directions) {
		if !c.stalls(d) {
			continue
		}
		if l.stalls[d]--; l.stalls[d] == 0 {
			l.limitWrites(d, time.Time{})
		}
	}
	l.changed.Broadcast()
}

// stall begins a stall and returns when nobody writes in that direction any
// more. A write that waits for its receiver could last for ever, so those
// under way are interrupted; enter admits no new one.
func (l *Link) stall(d Direction) {
	l.stalls[d]++
	for c := range l.connections { // what another stall holds, this one holds too
		l.stats.HeldTotal.add(d, c.held.In(d))
	}
	l.limitWrites(d, time.Unix(1, 0))
	for l.writers[d] > 0 {
		l.changed.Wait()
	}
}

func (l *Link) limitWrites(d Direction, deadline time.Time) {
	for c := range l.connections {
		if c.target != nil {
			_ = c.receiver(d).SetWriteDeadline(deadline) // fails only if closed
		}
	}
}

// Stats returns the counters as they are now.
func (l *Link) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.Requests, s.KeepAlives, s.Blind = l.requests.Load(), l.keepAlives.Load(), l.blind.Load()
	for c := range l.connections {
		if c.target != nil {
			s.Open++
		}
		s.Held.add(ToTarget, c.held.ToTarget)
		s.Held.add(ToDialler, c.held.ToDialler)
	}
	return s
}

// severOpen closes every connection now, as if the target had died.
func (l *Link) severOpen() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sever(&l.stats.Unreached)
}

// remove closes every connection and admits no more.
func (l *Link) remove() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.removed = true
	l.sever(&l.stats.Refused)
}

// sever resets all connections. Those that have not reached the target yet
// are counted in early.
func (l *Link) sever(early *int64) {
	for c := range l.connections {
		if c.target == nil {
			*early++
		} else {
			l.stats.Severed++
		}
		l.reset(c)
	}
}

// reset closes the connection on both sides in a way that tells both at once.
func (l *Link) reset(c *connection) {
	if c.closed {
		return
	}
	c.closed = true
	delete(l.connections, c)
	c.cancelDial()
	reset(c.dialler)
	if c.target != nil {
		reset(c.target)
	}
	l.changed.Broadcast()
}

// admit registers a connection that is about to dial the target, or returns
// false if the link is cut.
func (l *Link) admit(c *connection) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cuts > 0 || l.removed {
		l.stats.Refused++
		return false
	}
	l.connections[c] = struct{}{}
	return true
}

// unreached gives up a connection whose target did not answer.
func (l *Link) unreached(c *connection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !c.closed {
		l.stats.Unreached++
		l.reset(c)
	}
}

// enter waits until bytes may pass in direction d, and marks the connection as
// writing until exit. The given number of bytes is held while it waits.
// It returns false if the connection has been closed.
func (l *Link) enter(c *connection, d Direction, bytes int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.stalls[d] > 0 && !c.closed {
		if c.held.In(d) == 0 {
			c.held.add(d, bytes)
			l.stats.HeldTotal.add(d, bytes)
		}
		l.changed.Wait()
	}
	c.held.add(d, -c.held.In(d))
	if c.closed {
		return false
	}
	l.writers[d]++
	return true
}

// exit ends what enter began.
func (l *Link) exit(d Direction, passed int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats.Passed.add(d, passed)
	if l.writers[d]--; l.writers[d] == 0 && l.stalls[d] > 0 {
		l.changed.Broadcast()
	}
}
