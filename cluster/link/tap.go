package link

import "sync"

// tap is who wants to see messages.
type tap struct{ show func(Message) }

// Tap shows f every message that is recognised on this link of a client from
// now on, until remove is called. f is called before the last bytes of the
// message are handed on, by the goroutine that hands them on: while it runs,
// neither the message nor anything behind it passes in that direction of that
// connection. What f imposes on the link, or on any other, is in force for the
// message: it is kept back by a stall, and lost with its connection by a cut.
//
// Messages of different connections and directions are shown at the same time.
// f must return within a bounded time, since Close of the Network waits for
// it, and must not call Close itself. It may impose, lift, and remove. When
// remove returns, a call of f may still be under way.
//
// Connections are followed from their beginning, so that a tap may be set at
// any time. Of a connection that is not understood, see Stats.Blind, and of a
// message that is compressed, nothing is shown.
func (l *Link) Tap(f func(Message)) (remove func()) {
	t := &tap{f}
	l.changeTaps(func(taps []*tap) []*tap { return append(taps, t) })
	return sync.OnceFunc(func() {
		l.changeTaps(func(taps []*tap) []*tap {
			var others []*tap
			for _, other := range taps {
				if other != t {
					others = append(others, other)
				}
			}
			return others
		})
	})
}

// changeTaps replaces the list, which readers have without a lock.
func (l *Link) changeTaps(change func([]*tap) []*tap) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var taps []*tap
	if old := l.taps.Load(); old != nil {
		taps = append(taps, *old...)
	}
	taps = change(taps)
	l.taps.Store(&taps)
}

// Requests is how many requests a client has made on this link: calls with one
// request, and new watches. What keeps a lease alive, or ends a watch, does not
// count. On a connection that is not understood nothing is counted.
func (l *Link) Requests() int64 { return l.requests.Load() }

// pass hands bytes that were just read on to the receiver, showing messages to
// the taps before their ends. It returns false when there is no use in going on.
func (c *connection) pass(d Direction, bytes []byte) bool {
	if c.dialogue == nil {
		return c.deliver(d, bytes)
	}
	done := 0
	for _, m := range c.dialogue.follow(d, bytes) {
		taps := c.link.taps.Load()
		if taps == nil || len(*taps) == 0 {
			continue
		}
		if !c.deliver(d, bytes[done:m.start]) {
			return false
		}
		done = m.start
		for _, t := range *taps {
			t.show(m.message)
		}
	}
	return c.deliver(d, bytes[done:])
}
