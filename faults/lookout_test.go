package faults

import (
	"context"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

func acquiring(id int64, client string) history.Record {
	return history.Record{Operation: &history.Operation{ID: id, Client: client, Subject: "mutex", Kind: history.Acquire}}
}

func TestTheNewestWaiterIsHitAndEachOperationOnce(t *testing.T) {
	l := NewLookout(history.NewClock(), "")
	trigger := Trigger{Subject: Names{"mutex"}, Event: Waiting}
	for i, client := range []string{"c1", "c2", "c3"} {
		r := acquiring(int64(i+1), client)
		r.Time = time.Duration(i + 1)
		l.Hear(r)
	}
	for _, want := range []string{"c3", "c2", "c1"} {
		if got := l.Await(t.Context(), trigger); got != want {
			t.Errorf("hit %s, want %s", got, want)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if got := l.Await(ended, trigger); got != "" {
		t.Errorf("hit %s for an operation that was struck before", got)
	}
}

func TestWaitingEndsAndHoldingBeginsWithTheCompletion(t *testing.T) {
	l := NewLookout(history.NewClock(), "")
	waiting, holding := Trigger{Subject: Names{"mutex"}, Event: Waiting}, Trigger{Subject: Names{"mutex"}, Event: Holding}
	l.Hear(acquiring(1, "c1"))
	if client, _, _ := l.strike(holding); client != "" {
		t.Error("a waiter holds")
	}
	l.Hear(history.Record{Completion: &history.Completion{ID: 1, Client: "c1", Outcome: history.Ok}})
	if client, _, _ := l.strike(waiting); client != "" {
		t.Error("a holder waits")
	}
	if client, _, _ := l.strike(holding); client != "c1" {
		t.Error("a holder does not hold")
	}
	if client, _, _ := l.strike(Trigger{Subject: Names{"election"}, Event: Holding}); client != "" {
		t.Error("a client of another subject was taken")
	}
	l.Hear(history.Record{Operation: &history.Operation{ID: 2, Client: "c1", Subject: "mutex", Kind: history.Release, Hold: 1}})
	if client, _, _ := l.strike(holding); client != "" {
		t.Error("it holds after its release was called")
	}
	l.Hear(acquiring(3, "c1"))
	l.Hear(history.Record{Event: &history.Event{Kind: history.Crashed, Client: "c1"}})
	if client, _, _ := l.strike(waiting); client != "" {
		t.Error("the dead wait")
	}
}

func TestAwaitWaitsForTheEventAndForItsLength(t *testing.T) {
	l := NewLookout(history.NewClock(), "")
	got := make(chan string)
	go func() {
		got <- l.Await(t.Context(), Trigger{Subject: Names{"mutex"}, Event: Waiting, Longer: 20 * time.Millisecond})
	}()
	r := acquiring(1, "c1")
	r.Time = l.clock.Now()
	l.Hear(r)
	if client := <-got; client != "c1" {
		t.Errorf("hit %q", client)
	}
	if age := l.clock.Now() - r.Time; age < 20*time.Millisecond {
		t.Errorf("hit after %v already", age)
	}
}

func TestWhoWaitsForAnItemHoldsNothingThen(t *testing.T) {
	for _, kind := range []history.Kind{history.Dequeue, history.Pass, history.Enter, history.Leave} {
		l := NewLookout(history.NewClock(), "")
		l.Hear(history.Record{Operation: &history.Operation{ID: 1, Client: "c1", Subject: "s", Kind: kind}})
		if client, _, _ := l.strike(Trigger{Subject: Names{"s"}, Event: Waiting}); client != "c1" {
			t.Errorf("%s: nobody waits", kind)
		}
		l.Hear(history.Record{Completion: &history.Completion{ID: 1, Client: "c1", Outcome: history.Ok}})
		for _, event := range []string{Waiting, Holding} {
			if client, _, _ := l.strike(Trigger{Subject: Names{"s"}, Event: event}); client != "" {
				t.Errorf("%s: %s after its success", kind, event)
			}
		}
	}
}
