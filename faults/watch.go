package faults

import (
	"slices"
	"strings"
)

// watch waits for one event of some clients. All but its fixed fields are
// guarded by Lookout.mu.
type watch struct {
	// subject is whose clients count; slots are those of them that do, and roled
	// is true if they are not all of them.
	subject string
	slots   []string
	roled   bool
	event   Event
	nth     int
	// after has to happen first, if it is not zero.
	after Event
	// holds is true if a message that is the event waits for moment.pass.
	holds bool
	// until, if set, begins to count when this one has fired.
	until *watch

	armed, begun bool
	count        int
	fired        chan *moment // of one
}

// moment is when a watch fired.
type moment struct {
	// client is to whom it happened, or "" if that is not known.
	client string
	// passed is closed when what was held may go on.
	passed chan struct{}
}

func (m *moment) pass() {
	if m != nil {
		close(m.passed)
	}
}

// occurrence is something that happened to a client of a subject. client is ""
// if it is not known whose it was.
type occurrence struct {
	client, subject string
	event           Event
}

// slotOf is the slot that a client fills: c3 for c3 and its replacement c3.1.
func slotOf(client string) string {
	slot, _, _ := strings.Cut(client, ".")
	return slot
}

// counts is true for what happened to one of the watch's clients. A signal is
// for all of a subject's.
func (w *watch) counts(o occurrence) bool {
	switch {
	case o.event.Family == Signalled:
		return o.subject == w.subject || o.subject == ""
	case o.client == "":
		return o.subject == w.subject && !w.roled
	default:
		return slices.Contains(w.slots, slotOf(o.client))
	}
}

// arm begins to count anew.
func (w *watch) arm() {
	w.armed, w.begun, w.count = true, w.after == Event{}, 0
	w.clear()
}

// disarm lets whatever it held go on, and holds nothing more.
func (w *watch) disarm() {
	w.armed = false
	w.clear()
}

func (w *watch) clear() {
	select {
	case m := <-w.fired:
		m.pass()
	default:
	}
}

// hear takes note of what happened, and returns the moment if that is what it
// waits for.
func (w *watch) hear(o occurrence) *moment {
	switch {
	case !w.armed || !w.counts(o):
		return nil
	case !w.begun:
		w.begun = o.event == w.after
		return nil
	case o.event != w.event:
		return nil
	}
	if w.count++; w.count < w.nth {
		return nil
	}
	w.armed = false
	m := &moment{client: o.client, passed: make(chan struct{})}
	if w.roled && !slices.Contains(w.slots, slotOf(o.client)) {
		m.client = "" // another's signal
	}
	w.fired <- m
	if w.until != nil {
		w.until.arm()
	}
	return m
}
