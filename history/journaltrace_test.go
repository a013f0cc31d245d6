package history

import (
	"testing"
	"time"
)

func TestHoldsTrace(t *testing.T) {
	op := func(id int64, client, object string, kind Kind, call, ret time.Duration, outcome Outcome) Operation {
		return Operation{ID: id, Client: client, Subject: "s", Object: object, Kind: kind, Call: call, Return: ret, Outcome: outcome}
	}
	h := &History{End: 100, Events: []Event{
		{Kind: Lost, Time: 50, Client: "c2", Lease: 9, Heeded: true},
		{Kind: Crashed, Time: 60, Client: "c3"},
	}}
	h.Operations = []Operation{
		op(1, "c1", "a", Acquire, 1, 4, Ok),
		op(2, "c1", "b", Campaign, 5, 6, Ok),
		op(3, "c1", "a", Release, 8, 9, Ok),
		op(4, "c1", "b", Resign, 10, 12, Info),
		op(5, "c2", "a", TryAcquire, 20, 21, Ok),
		op(6, "c4", "a", TryAcquire, 22, 23, Fail),
		op(7, "c3", "a", Resume, 30, 31, Ok),
		op(8, "c5", "a", Acquire, 40, 45, Info),
		op(9, "c6", "a", Acquire, 41, 0, Pending),
		op(10, "c7", "b", Acquire, 70, 72, Ok),
		op(11, "c7", "b", Read, 73, 74, Ok),
		op(12, "c8", "b", Acquire, 80, 90, Ok),
	}
	h.Operations[0].Token, h.Operations[9].Mode = 33, ReadMode
	h.Operations[2].Hold, h.Operations[3].Hold, h.Operations[4].Lease = 1, 2, 9
	h.Operations[11].Subject = "another"
	trace := h.HoldsTrace("s")
	want := lines("1: c1 acquire on a @33 [1, 4]", "2: c1 acquire on b [5, 6]", "3: c1 release on a @33 [8, 9]", "4: c1 release on b [10, ?",
		"5: c2 try-acquire on a [20, 21]", "7: c3 acquire on a [30, 31]", "8: c5 acquire on a [40, ?", "9: c6 acquire on a [41, ?",
		"5: c2 release on a [50, ?", "7: c3 release on a [60, ?", "10: c7 acquire shared on b [70, 72]")
	if got := tell(trace); got != want {
		t.Errorf("trace\n%swant\n%s", got, want)
	}
	wellFormed(t, trace)
	if trace.Calls[0].Process == trace.Calls[1].Process || trace.Calls[0].Process != trace.Calls[2].Process || trace.Calls[1].Process != trace.Calls[3].Process {
		t.Error("a hold is a process: its acquire and its release, and nothing else")
	}
	if trace.Lines != nil || trace.At(8) != "0.000 s" {
		t.Error("positions are times")
	}
	wellFormed(t, h.HoldsTrace("nobody"))
}
