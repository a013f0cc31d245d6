package faults

import (
	"fmt"
	"slices"
	"strings"

	"github.com/etcd-holdfast/holdfast/cluster/link"
	"github.com/etcd-holdfast/holdfast/history"
)

// Event is what a trigger waits for: a family, and what of it.
type Event struct{ Family, What string }

// The families of events that last: a client is in that state for a while.
const (
	// Waiting: a client has been in an acquire for longer than Trigger.Longer.
	Waiting = "waiting"
	// Holding: a client has held for longer than Trigger.Longer.
	Holding = "holding"
)

// The families of events that happen at an instant.
const (
	// Called, with a kind of operation: a client is about to make the call.
	Called = "call"
	// Succeeded, Failed, Unsure and Returned, with a kind of operation: the call
	// returned; with that outcome, or with any.
	Succeeded = "ok"
	Failed    = "fail"
	Unsure    = "info"
	Returned  = "return"
	// Lost, Opened and Crashed: a client was told that its session is over, has a
	// new one, or died.
	Lost    = "lost"
	Opened  = "session"
	Crashed = "crash"
	// Signalled, with a name: a client of the subject gave that signal.
	Signalled = "signal"
	// Requested and Answered, with a method: the message is on its way over the
	// client's link, and has not passed it.
	Requested = "request"
	Answered  = "answer"
	// Created, Changed and Deleted: the store shows it of a key of the subject's
	// objects, which is the client's if it is on the client's lease.
	Created = "created"
	Changed = "changed"
	Deleted = "deleted"
	// LeaseEnded: the store shows that a client's lease is over.
	LeaseEnded = "lease-ended"
)

// methods are the calls that Requested and Answered can name, in the order in
// which they are listed.
func methods() []string {
	return []string{
		"/etcdserverpb.KV/Put", "/etcdserverpb.KV/Range", "/etcdserverpb.KV/DeleteRange", "/etcdserverpb.KV/Txn", "/etcdserverpb.KV/Compact",
		"/etcdserverpb.Lease/LeaseGrant", "/etcdserverpb.Lease/LeaseRevoke", "/etcdserverpb.Lease/LeaseKeepAlive", "/etcdserverpb.Watch/Watch",
		"/v3lockpb.Lock/Lock", "/v3lockpb.Lock/Unlock",
		"/v3electionpb.Election/Campaign", "/v3electionpb.Election/Proclaim", "/v3electionpb.Election/Leader",
		"/v3electionpb.Election/Observe", "/v3electionpb.Election/Resign",
	}
}

// watchEvent is what Answered calls the changes that a watch shows.
const watchEvent = "WatchEvent"

// ParseEvent reads an event as scenarios spell it, such as "ok acquire". Its
// error says what can be there.
func ParseEvent(text string) (Event, error) {
	family, what, more := strings.Cut(text, " ")
	e := Event{family, what}
	switch {
	case family == Called, family == Succeeded, family == Failed, family == Unsure, family == Returned:
		if !slices.Contains(history.Kinds(), history.Kind(what)) {
			return Event{}, fmt.Errorf("%q: there is no operation %q; there are: %s", text, what, list(history.Kinds()))
		}
		return e, nil
	case family == Signalled:
		if what == "" || strings.ContainsFunc(what, func(r rune) bool { return r <= ' ' }) {
			return Event{}, fmt.Errorf("%q: a signal has a name of one word, such as signal heal", text)
		}
		return e, nil
	case family == Requested, family == Answered:
		names := calls(family)
		if !slices.Contains(names, what) {
			return Event{}, fmt.Errorf("%q: there is no call %q; there are: %s", text, what, list(names))
		}
		return e, nil
	}
	switch family {
	case Waiting, Holding, Lost, Opened, Crashed, Created, Changed, Deleted, LeaseEnded:
		if more {
			return Event{}, fmt.Errorf("%q: nothing can follow %s", text, family)
		}
		return e, nil
	}
	return Event{}, fmt.Errorf("%q is none of %s", text, strings.Join(EventForms(), ", "))
}

// EventForms lists how events are spelt.
func EventForms() []string {
	return []string{
		Waiting, Holding,
		Called + " KIND", Succeeded + " KIND", Failed + " KIND", Unsure + " KIND", Returned + " KIND",
		Lost, Opened, Crashed, Signalled + " NAME", Requested + " METHOD", Answered + " METHOD",
		Created, Changed, Deleted, LeaseEnded,
	}
}

// calls are the methods' own names.
func calls(family string) []string {
	var names []string
	for _, m := range methods() {
		names = append(names, m[strings.LastIndexByte(m, '/')+1:])
	}
	if family == Answered {
		names = append(names, watchEvent)
	}
	return names
}

func list[T ~string](names []T) string {
	texts := make([]string, len(names))
	for i, n := range names {
		texts[i] = string(n)
	}
	return strings.Join(texts, ", ")
}

// Lasts is true for a state, false for what happens at an instant.
func (e Event) Lasts() bool { return e.Family == Waiting || e.Family == Holding }

// OnLinks is true for what only links can see.
func (e Event) OnLinks() bool { return e.Family == Requested || e.Family == Answered }

// Unsupported returns why cluster c cannot show this event, or nil.
func (e Event) Unsupported(c Capabilities) error {
	if e.OnLinks() {
		return needsLinks(c)
	}
	return nil
}

// String spells the event as scenarios do.
func (e Event) String() string {
	if e.What == "" {
		return e.Family
	}
	return e.Family + " " + e.What
}

// eventOf names a message's event; ok is false if it has none.
func eventOf(m link.Message) (e Event, ok bool) {
	if !slices.Contains(methods(), m.Method) {
		return Event{}, false
	}
	e = Event{Requested, m.Call()}
	if m.Direction == link.ToDialler {
		e.Family = Answered
	}
	if e.What != "Watch" {
		return e, true
	}
	switch m.Content {
	case link.WatchCreate, link.WatchCreated:
		return e, true
	case link.WatchEvents:
		e.What = watchEvent
		return e, true
	}
	return Event{}, false
}
