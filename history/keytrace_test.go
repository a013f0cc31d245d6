package history

import (
	"fmt"
	"testing"
	"time"
)

// keyHistory is calls on one register, and a log with the writes v1 to v3.
func keyHistory() *History {
	ms := time.Millisecond
	h := &History{
		Header: Header{Prefix: "p/", Subjects: []SubjectInfo{{Name: "r", Primitive: Register, Layout: OneKey}}},
		Operations: []Operation{
			{ID: 1, Kind: Get, Call: 1 * ms, Return: 2 * ms, Outcome: Ok, Revision: 4},
			{ID: 2, Kind: Put, Value: "v1", Call: 3 * ms, Return: 5 * ms, Outcome: Ok, Revision: 5},
			{ID: 3, Kind: CompareAndSet, Prior: "v1", Value: "v2", Call: 10 * ms, Return: 19 * ms, Outcome: Info},
			{ID: 4, Kind: Put, Value: "never", Call: 11 * ms, Return: 12 * ms, Outcome: Info},
			{ID: 5, Kind: CompareAndSet, Prior: "v1", Value: "v4", Call: 22 * ms, Return: 23 * ms, Outcome: Fail, Revision: 6},
			{ID: 6, Kind: CompareAndSet, Prior: "v1", Value: "v5", Call: 24 * ms, Return: 25 * ms, Outcome: Fail},
			{ID: 7, Kind: Put, Value: "v3", Call: 26 * ms, Outcome: Pending},
			{ID: 8, Kind: Get, Value: "v2", Call: 40 * ms, Return: 41 * ms, Outcome: Info},
			{ID: 9, Kind: Get, Value: "v3", Call: 50 * ms, Return: 51 * ms, Outcome: Ok, Revision: 7},
		},
		Events: []Event{{Time: 60 * ms, Kind: PhaseBegan, Detail: PhaseFinal}, {Time: 90 * ms, Kind: PhaseBegan, Detail: PhaseEnd}},
		End:    90 * ms,
	}
	for i := range h.Operations {
		op := &h.Operations[i]
		op.Client, op.Subject, op.Object = fmt.Sprint("c", i%3), "r", "o"
	}
	key := "p/r/o/value"
	h.Revisions = NewRevisionLog(5, 7, []Change{
		{Revision: 5, Time: 6 * ms, Key: key, Create: 5, Value: "v1"},
		{Revision: 6, Time: 15 * ms, Key: key, Create: 5, Value: "v2"},
		{Revision: 7, Time: 30 * ms, Key: key, Create: 5, Value: "v3"},
	}, nil, []Tick{
		{Call: 0, Return: 0, Revision: 4}, {Call: 13 * ms, Return: 14 * ms, Revision: 5}, {Call: 28 * ms, Return: 28 * ms, Revision: 6}, {Call: 80 * ms, Return: 80 * ms, Revision: 7},
	}, nil)
	return h
}

func TestKeyTraceUsesWhatTheLogKnows(t *testing.T) {
	h := keyHistory()
	trace := h.KeyTrace("r", true)
	ms := int64(time.Millisecond)
	value := func(text string) Value { return trace.Symbol(text) }
	want := []Call{
		{ID: 1, Invoke: 1 * ms, Return: 2 * ms, Function: FunctionRead, Known: Succeeded, Value: Nil, Argument: Nil, Revision: 4},
		{ID: 2, Invoke: 3 * ms, Return: 5 * ms, Function: FunctionWrite, Known: Succeeded, Value: value("v1"), Argument: Nil, Revision: 5},
		// It was put between the read at rev 5 and when it was seen.
		{ID: 3, Invoke: 13 * ms, Return: 15 * ms, Function: FunctionCompareAndSet, Known: Succeeded, Value: value("v2"), Argument: value("v1"), Revision: 6},
		{ID: 5, Invoke: 22 * ms, Return: 23 * ms, Function: FunctionCompareAndSet, Known: Refused, Value: value("v4"), Argument: value("v1"), Revision: 6},
		{ID: 7, Invoke: 28 * ms, Return: 30 * ms, Function: FunctionWrite, Known: Succeeded, Value: value("v3"), Argument: Nil, Revision: 7},
		{ID: 9, Invoke: 50 * ms, Return: 51 * ms, Function: FunctionRead, Known: Succeeded, Value: value("v3"), Argument: Nil, Revision: 7},
	}
	if len(trace.Calls) != len(want) {
		t.Fatalf("%d calls, want %d: %+v", len(trace.Calls), len(want), trace.Calls)
	}
	for i, c := range trace.Calls {
		if want[i].Process = c.Process; c != want[i] {
			t.Errorf("call %d is %+v, want %+v", i, c, want[i])
		}
	}
	for _, c := range h.KeyTrace("r", false).Calls {
		if c.Function == FunctionRead {
			t.Errorf("a read although none was asked for: %+v", c)
		}
	}
}

// Without the log nobody knows what became of the unknown writes.
func TestKeyTraceWithoutALog(t *testing.T) {
	h := keyHistory()
	h.Revisions = nil
	unknown := 0
	for _, c := range h.KeyTrace("r", true).Calls {
		if c.Known == Unknown {
			unknown++
			if c.Return != NoReturn {
				t.Errorf("it has a return: %+v", c)
			}
		}
	}
	if unknown != 3 {
		t.Errorf("%d unknown calls, want 3", unknown)
	}
}

// Two permits of one client are two holds; two locks of one are one.
func TestHoldsTraceOfASemaphore(t *testing.T) {
	for primitive, want := range map[Primitive]int{Semaphore: 2, Mutex: 1} {
		h := &History{Header: Header{Subjects: []SubjectInfo{{Name: "x", Primitive: primitive}}}, End: 100}
		for i := range 2 {
			h.Operations = append(h.Operations, Operation{
				ID: int64(i + 1), Client: "c", Subject: "x", Object: "o", Kind: Acquire, Outcome: Ok,
				Call: time.Duration(10 * i), Return: time.Duration(10*i + 1),
			})
		}
		if got := len(h.HoldsTrace("x").Calls); got != want {
			t.Errorf("%s: %d calls, want %d", primitive, got, want)
		}
	}
}
