package faults

import (
	"context"
	"testing"

	"github.com/etcd-holdfast/holdfast/cluster/link"
	"github.com/etcd-holdfast/holdfast/history"
)

// watching is a lookout with one armed watch on the mutex of clients c1 to c3.
func watching(t *testing.T, trigger Trigger, role string) (*Lookout, *watch) {
	t.Helper()
	l := NewLookout(history.NewClock(), "run/")
	w := &watch{subject: "mutex", slots: []string{"c1", "c2", "c3"}, nth: max(trigger.Nth, 1)}
	if role != "" {
		i, _ := Role(role)
		w.slots, w.roled = w.slots[i:i+1], true
	}
	var err error
	if w.event, err = ParseEvent(trigger.Event); err != nil {
		t.Fatal(err)
	}
	if trigger.After != "" {
		if w.after, err = ParseEvent(trigger.After); err != nil {
			t.Fatal(err)
		}
	}
	l.add(w)
	l.arm(w)
	return l, w
}

// happened returns to whom it happened, "nobody known", or "" if it did not.
func happened(w *watch) string {
	select {
	case m := <-w.fired:
		m.pass()
		if m.client == "" {
			return "nobody known"
		}
		return m.client
	default:
		return ""
	}
}

// story is what a lookout can be told, in order.
type story struct {
	*Lookout
	operations int64
}

func (s *story) call(client string, kind history.Kind) int64 {
	s.operations++
	s.Hear(history.Record{Operation: &history.Operation{ID: s.operations, Client: client, Subject: "mutex", Kind: kind}})
	return s.operations
}

func (s *story) done(id int64, client string, o history.Outcome) {
	s.Hear(history.Record{Completion: &history.Completion{ID: id, Client: client, Outcome: o}})
}

func (s *story) event(client string, kind history.EventKind, lease int64, detail string) {
	s.Hear(history.Record{Event: &history.Event{Kind: kind, Client: client, Subject: "mutex", Lease: lease, Detail: detail}})
}

// tell is one run in which each event happens, first to c1 and then to c2.1,
// which has taken the place of c2. All of it happens also to c9 of another
// subject.
func (s *story) tell(before func()) {
	for _, client := range []string{"c9", "c1", "c2.1"} {
		lease := int64(len(client))<<8 + int64(client[1])
		s.event(client, history.SessionOpened, lease, "")
		before()
		for _, outcome := range []history.Outcome{history.Fail, history.Info, history.Ok} {
			s.done(s.call(client, history.Acquire), client, outcome)
		}
		s.done(s.call(client, history.Release), client, history.Ok)
		s.event(client, history.Signalled, 0, client)
		for _, d := range []link.Direction{link.ToTarget, link.ToDialler} {
			s.See(client, link.Message{Method: "/etcdserverpb.KV/Txn", Direction: d})
		}
		key := map[bool]string{true: "run/rwmutex/0/", false: "run/mutex/0/"}[client == "c9"] + client
		s.Changed(history.Change{Key: key, Version: 1, Lease: lease}, 0)
		s.Changed(history.Change{Key: key, Version: 2, Lease: lease}, 0)
		s.Changed(history.Change{Key: "run/leases/1", Deleted: true}, lease)
		s.Changed(history.Change{Key: key, Deleted: true}, 0)
		s.event(client, history.Lost, lease, "")
		s.event(client, history.Crashed, 0, "")
	}
	s.Changed(history.Change{Key: "run/mutex/0/own", Version: 1, Lease: 77}, 0)
	s.Changed(history.Change{Key: "run/mutex-other/0/own", Version: 1, Lease: 77}, 0)
	s.Changed(history.Change{Key: "elsewhere/mutex/0/own", Version: 1, Lease: 77}, 0)
}

func TestEachEventIsHeardOfTheClientToWhichItHappens(t *testing.T) {
	for _, event := range []string{
		"session", "call acquire", "fail acquire", "info acquire", "ok acquire", "return acquire", "ok release", "call release",
		"request Txn", "answer Txn", "created", "changed", "deleted", "lease-ended", "lost", "crash",
	} {
		for role, want := range map[string]string{"": "c1", "A": "c1", "B": "c2.1", "C": ""} {
			l, w := watching(t, Trigger{Event: event}, role)
			s := &story{Lookout: l}
			s.tell(func() {})
			if got := happened(w); got != want {
				t.Errorf("%s of client %q: %q, want %q", event, role, got, want)
			}
		}
	}
}

func TestTheNthTimeIsCountedFromAfter(t *testing.T) {
	for _, test := range []struct {
		trigger Trigger
		role    string
		want    string
	}{
		{Trigger{Event: "call acquire", Nth: 3}, "", "c1"},
		{Trigger{Event: "call acquire", Nth: 4}, "", "c2.1"},
		{Trigger{Event: "call acquire", Nth: 6}, "", "c2.1"},
		{Trigger{Event: "call acquire", Nth: 7}, "", ""},
		{Trigger{Event: "call acquire", Nth: 4}, "B", ""},
		{Trigger{Event: "return acquire", Nth: 3}, "B", "c2.1"},
		{Trigger{Event: "call acquire", After: "ok acquire"}, "", "c2.1"},
		{Trigger{Event: "call acquire", After: "ok acquire"}, "A", ""},
		{Trigger{Event: "ok acquire", After: "ok acquire"}, "", "c2.1"},
		{Trigger{Event: "answer Txn", After: "signal c2.1"}, "", "c2.1"},
		{Trigger{Event: "created", Nth: 3}, "", "nobody known"}, // on a lease that is no client's
		{Trigger{Event: "created", Nth: 4}, "", ""},
		{Trigger{Event: "signal c2.1"}, "", "c2.1"},
		{Trigger{Event: "signal c1"}, "A", "c1"},
		{Trigger{Event: "signal c1"}, "B", "nobody known"}, // another's, who is not to be hit
		{Trigger{Event: "signal c3"}, "", ""},
	} {
		l, w := watching(t, test.trigger, test.role)
		s := &story{Lookout: l}
		s.tell(func() {})
		if got := happened(w); got != test.want {
			t.Errorf("%+v of client %q: %q, want %q", test.trigger, test.role, got, test.want)
		}
	}
}

// A watch fires once, until it is armed again, which counts anew.
func TestAWatchFiresOnceEachTimeItIsArmed(t *testing.T) {
	l, w := watching(t, Trigger{Event: "call acquire", Nth: 2}, "")
	s := &story{Lookout: l}
	for _, want := range []string{"", "c1", "", "", "", ""} {
		s.call("c1", history.Acquire)
		if got := happened(w); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	l.arm(w)
	s.call("c1", history.Acquire)
	s.call("c2", history.Acquire)
	if got := happened(w); got != "c2" {
		t.Errorf("%q", got)
	}
	l.arm(w)
	l.disarm(w)
	s.call("c1", history.Acquire)
	s.call("c1", history.Acquire)
	if got := happened(w); got != "" {
		t.Errorf("%q fired though it was disarmed", got)
	}
}

// What heals a fault counts from the moment at which it was triggered.
func TestUntilCountsFromTheTrigger(t *testing.T) {
	l, w := watching(t, Trigger{Event: "ok acquire"}, "")
	w.until = &watch{subject: "mutex", slots: w.slots, event: Event{Signalled, "heal"}, nth: 1}
	l.add(w.until)
	s := &story{Lookout: l}
	s.event("c2", history.Signalled, 0, "heal")
	s.done(s.call("c1", history.Acquire), "c1", history.Ok)
	if got := happened(w.until); got != "" {
		t.Errorf("healed by a signal before the fault")
	}
	s.event("c2", history.Signalled, 0, "heal")
	if happened(w) != "c1" || happened(w.until) != "c2" {
		t.Error("not healed by the signal after it")
	}
}

// A message is held from its moment until it is passed, the watch is disarmed,
// or the lookout closed; no other message is held.
func TestMessagesAreHeldUntilTheyArePassed(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, release := range map[string]func(*Lookout, *watch){
		"passed":   func(l *Lookout, w *watch) { l.await(t.Context(), w).pass() },
		"disarmed": func(l *Lookout, w *watch) { waitFired(t, w); l.disarm(w) },
		"closed":   func(l *Lookout, w *watch) { waitFired(t, w); l.Close(); l.Close() },
		"late":     func(l *Lookout, w *watch) { waitFired(t, w); l.await(ended, w).pass() },
	} {
		t.Run(name, func(t *testing.T) {
			l, w := watching(t, Trigger{Event: "answer Txn", Nth: 2}, "")
			w.holds = true
			answer := link.Message{Method: "/etcdserverpb.KV/Txn", Direction: link.ToDialler}
			l.See("c1", answer)
			passed := make(chan struct{})
			go func() {
				defer close(passed)
				l.See("c1", answer)
			}()
			waitFired(t, w)
			select {
			case <-passed:
				t.Error("it was not held")
			default:
			}
			l.See("c1", answer) // neither is this one
			release(l, w)
			<-passed
		})
	}
	l, w := watching(t, Trigger{Event: "answer Txn"}, "")
	if m := l.await(ended, w); m != nil || w.armed {
		t.Errorf("%v, armed: %t", m, w.armed)
	}
}

func waitFired(t *testing.T, w *watch) {
	t.Helper()
	waitFor(t, t.Context(), func() bool { return len(w.fired) == 1 })
}

// What a trigger begins after may be what heals its fault, too: it happens again.
func TestATriggerThatBeginsAndEndsWithOneEvent(t *testing.T) {
	l := NewLookout(history.NewClock(), "")
	c := &Conductor{World: &World{Clients: nobody{}}, Lookout: l}
	trigger := Trigger{Subject: Names{"mutex"}, Event: "ok acquire", After: "signal go"}
	if err := c.Arm([]Planned{{ID: 1, Kind: "stall-client", Subject: "mutex", When: &trigger, Until: "signal go"}}); err != nil {
		t.Fatal(err)
	}
	v := c.vigils[chain{0, "mutex"}]
	s := &story{Lookout: l}
	acquired := func() { s.done(s.call("c1", history.Acquire), "c1", history.Ok) }
	acquired()
	if who := happened(v.event); who != "" {
		t.Errorf("it happened to %s before the signal", who)
	}
	s.event("c1", history.Signalled, 0, "go")
	acquired()
	if who := happened(v.event); who != "c1" {
		t.Errorf("after the signal it happened to %q", who)
	}
	if who := happened(v.until); who != "" {
		t.Errorf("the signal before the fault healed it, by %s", who)
	}
	s.event("c1", history.Signalled, 0, "go")
	if who := happened(v.until); who != "c1" {
		t.Errorf("the signal after the fault was given by %q", who)
	}
}

// A state with slots is only that of clients in them.
func TestStatesOfARole(t *testing.T) {
	l := NewLookout(history.NewClock(), "")
	s := &story{Lookout: l}
	s.call("c1", history.Acquire)
	s.call("c2.1", history.Acquire)
	s.call("c3", history.Acquire)
	waiting := Trigger{Subject: Names{"mutex"}, Event: Waiting}
	if client, _, _ := l.strike(waiting, "c2"); client != "c2.1" {
		t.Errorf("%q", client)
	}
	if client, _, _ := l.strike(waiting, "c2"); client != "" {
		t.Errorf("%q twice", client)
	}
}
