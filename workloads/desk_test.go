package workloads

import (
	"bytes"
	"encoding/gob"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/quantity"
	"github.com/etcd-holdfast/holdfast/workloads/internal/wire"
)

// deskOf is the desk of c1 of a crew on a mutex that is never called.
func deskOf(t *testing.T, resource func() Resource) (*desk, *history.Memory) {
	t.Helper()
	memory, err := history.NewMemory(history.Header{Prefix: "p/"}, history.NewClock())
	if err != nil {
		t.Fatal(err)
	}
	carried := int64(0)
	env := &Env{Recorder: memory.Recorder(), Requests: func(string) func() int64 {
		return func() int64 { carried += 3; return carried }
	}}
	subject := Subject{Name: "lock", NewLock: func(*Session, string) Lock { return nil }, NewResource: resource}
	crew := NewCrew(env, subject, Traffic{Clients: 1, Objects: 1}, 1)
	return newDesk(t.Context(), &seat{crew: crew, slot: "c1", name: "c1", finish: func() {}}), memory
}

func TestNothingIsTakenFromTheDead(t *testing.T) {
	d, memory := deskOf(t, nil)
	write := func(value string) error {
		return d.Access(&wire.Access{Object: "0", Write: true, Value: value}, &wire.Accessed{})
	}
	if err := write("a"); err != nil {
		t.Fatal(err)
	}
	d.seat.keepWon(won{object: "0", lease: 7})
	if !d.die(history.Event{}) || d.die(history.Event{}) {
		t.Error("it has to die once")
	}
	if err := write("b"); !errors.Is(err, errGone) {
		t.Errorf("a write of the dead: %v", err)
	}
	if value, _ := d.seat.resource("0").Read(); value != "a" {
		t.Errorf("the resource holds %q, want what the living wrote", value)
	}
	var recorded wire.Recorded
	if err := d.Invoke(&history.Operation{Client: "c1", Kind: history.Acquire}, &recorded); err != nil || recorded.Taken {
		t.Errorf("an invocation of the dead was taken: %v", err)
	}
	if err := d.KeepWon(&wire.Won{Object: "1"}, nil); err != nil {
		t.Error(err)
	}
	if w, ok := d.seat.leftBy(0); !ok || w.object != "0" {
		t.Errorf("the dead left %+v, want what it had when it lived", w)
	}
	if err := d.Await(wire.Healed, nil); !errors.Is(err, errGone) {
		t.Errorf("the dead waits on: %v", err)
	}
	if events := memory.History().Events; len(events) != 1 || events[0].Kind != history.Crashed || events[0].Subject != "lock" {
		t.Errorf("recorded were %+v", events)
	}
}

func TestRequestsOfOthersAreCountedByTheHarness(t *testing.T) {
	d, memory := deskOf(t, nil)
	for _, kind := range []history.Kind{history.Acquire, history.Observe} {
		var recorded wire.Recorded
		if err := d.Invoke(&history.Operation{Client: "c1", Subject: "lock", Object: "0", Kind: kind}, &recorded); err != nil || !recorded.Taken {
			t.Fatal(err)
		}
		if err := d.Complete(&history.Completion{ID: recorded.ID, Client: "c1", Outcome: history.Ok}, &recorded); err != nil || !recorded.Taken {
			t.Fatal(err)
		}
	}
	operations := memory.History().Operations
	if operations[0].Requests != 3 || operations[1].Requests != 0 {
		t.Errorf("requests %d and %d, want 3, and none of an observation", operations[0].Requests, operations[1].Requests)
	}
}

// angry is a resource that panics.
type angry struct{ Resource }

func (angry) Read() (string, int64) { panic("no") }

func TestAPanicOfAResourceReachesItsClient(t *testing.T) {
	d, _ := deskOf(t, func() Resource { return angry{} })
	var done wire.Accessed
	if err := d.Access(&wire.Access{Object: "0"}, &done); err != nil || done.Panic != "no" {
		t.Errorf("%+v, %v", done, err)
	}
}

// A client elsewhere has the same traffic, down to rounds that are written down
// for nobody.
func TestTrafficArrivesAsItWas(t *testing.T) {
	for _, rounds := range []Rounds{nil, {}, {"c1": {"0 hold 5ms"}}} {
		sent := DefaultTraffic()
		sent.Clients, sent.TTL, sent.OnLoss, sent.Rounds, sent.Script = 3, time.Second, Mixed, rounds, []string{"A acquire x"}
		sent.KeepSession, sent.Think = 0.5, quantity.Span{}
		var b bytes.Buffer
		if err := gob.NewEncoder(&b).Encode(&sent); err != nil {
			t.Fatal(err)
		}
		var got Traffic
		if err := gob.NewDecoder(&b).Decode(&got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(sent, got) {
			t.Errorf("sent %+v, got %+v", sent, got)
		}
	}
}
