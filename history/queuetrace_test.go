package history

import (
	"bytes"
	"testing"
	"time"
)

func meetingOp(id int64, client, object string, kind Kind, value string, call, ret time.Duration, outcome Outcome) Operation {
	return Operation{ID: id, Client: client, Subject: "s", Object: object, Kind: kind, Value: value, Call: call * ms, Return: ret * ms, Outcome: outcome}
}

// ms positions are nanoseconds.
func TestQueueTrace(t *testing.T) {
	h := &History{
		Header: Header{Prefix: "run/", Subjects: []SubjectInfo{{Name: "s", Primitive: Queue, Layout: ItemKeys}}},
		End:    100 * ms,
		Events: []Event{{Kind: PhaseBegan, Detail: PhaseFinal, Time: 80 * ms}, {Kind: PhaseBegan, Detail: PhaseEnd, Time: 100 * ms}},
		Operations: []Operation{
			meetingOp(1, "c1", "a", Enqueue, "put", 1, 4, Ok),
			meetingOp(2, "c1", "a", Enqueue, "late", 5, 6, Info),     // put at 12
			meetingOp(3, "c1", "a", Enqueue, "never", 7, 0, Pending), // never put
			meetingOp(4, "c2", "a", Enqueue, "refused", 8, 9, Fail),
			meetingOp(5, "c3", "a", Dequeue, "put", 10, 16, Ok),
			meetingOp(6, "c4", "a", Dequeue, "", 20, 21, Info), // took "late" at 24
			meetingOp(7, "c5", "a", Dequeue, "", 40, 0, Pending),
			meetingOp(8, "c6", "b", Enqueue, "other", 41, 44, Ok),
			meetingOp(9, "c7", "a", Dequeue, "other", 45, 56, Ok), // an item of b
		},
		Revisions: NewRevisionLog(2, 7, []Change{
			{Revision: 2, Key: "run/s/a/1", Create: 2, Value: "put", Time: 3 * ms},
			{Revision: 3, Key: "run/s/a/2", Create: 3, Value: "late", Time: 12 * ms},
			{Revision: 4, Key: "run/s/a/1", Deleted: true, Time: 14 * ms},
			{Revision: 5, Key: "run/s/a/2", Deleted: true, Time: 24 * ms},
			{Revision: 6, Key: "run/s/b/1", Create: 6, Value: "other", Time: 43 * ms},
			{Revision: 7, Key: "run/s/b/1", Deleted: true, Time: 54 * ms},
		}, nil, []Tick{{10 * ms, 11 * ms, 2}, {22 * ms, 23 * ms, 4}, {85 * ms, 86 * ms, 7}}, nil),
	}
	trace := h.QueueTrace("s")
	want := lines("1: c1 enqueue on a put [1000000, 4000000]", "2: c1 enqueue on a late @3 [10000000, 12000000]",
		"5: c3 dequeue on a put [10000000, 16000000]", "6: c4 dequeue on a late [20000000, 24000000]",
		"8: c6 enqueue on b other [41000000, 44000000]", "9: c7 dequeue on b other [45000000, 56000000]")
	if got := tell(trace); got != want {
		t.Errorf("trace\n%swant\n%s", got, want)
	}
	wellFormed(t, trace)
	wellFormed(t, h.QueueTrace("nobody"))

	// Without knowing what a key means nothing is resolved.
	h.Header.Subjects[0].Layout = NoLayout
	unknown := 0
	for _, c := range h.QueueTrace("s").Calls {
		if c.Known == Unknown {
			unknown++
		}
	}
	if unknown != 4 {
		t.Errorf("%d calls are unknown, want 4", unknown)
	}
}

// Two dequeues of unknown outcome and one item that went: either may have it.
func TestQueueTraceDoesNotGuess(t *testing.T) {
	h := &History{
		Header: Header{Prefix: "run/", Subjects: []SubjectInfo{{Name: "s", Primitive: Queue, Layout: ItemKeys}}},
		End:    100 * ms,
		Operations: []Operation{
			meetingOp(1, "c1", "jobs", Enqueue, "item", 1, 4, Ok),
			meetingOp(2, "c2", "jobs", Dequeue, "", 5, 6, Info),
			meetingOp(3, "c3", "jobs", Dequeue, "", 7, 8, Info),
			meetingOp(4, "c4", "job", Dequeue, "", 7, 8, Info),
		},
		Revisions: NewRevisionLog(2, 3, []Change{
			{Revision: 2, Key: "run/s/jobs/1", Create: 2, Value: "item", Time: 3 * ms},
			{Revision: 3, Key: "run/s/jobs/1", Deleted: true, Time: 14 * ms},
		}, nil, nil, nil),
	}
	want := lines("1: c1 enqueue on jobs item [1000000, 4000000]", "2: c2 dequeue on jobs [5000000, ?", "3: c3 dequeue on jobs [7000000, ?",
		"4: c4 dequeue on job [7000000, ?", "4: c4 dequeue on jobs [7000000, ?")
	if got := tell(h.QueueTrace("s")); got != want {
		t.Errorf("trace\n%swant\n%s", got, want)
	}
	// Nor where only one of jobs may have, and one of job, whose name begins jobs.
	h.Operations = append(h.Operations[:1], h.Operations[2:]...)
	for _, c := range h.QueueTrace("s").Calls[1:] {
		if c.Known != Unknown {
			t.Errorf("call %d is known", c.ID)
		}
	}
}

// What is exported can be read: a process has one call under way at a time.
func TestQueueTraceSurvivesEDN(t *testing.T) {
	h := &History{Header: Header{Prefix: "run/", Subjects: []SubjectInfo{{Name: "s", Primitive: Queue}}}, End: 100 * ms, Operations: []Operation{
		meetingOp(1, "c1", "jobs", Enqueue, "item", 1, 4, Ok),
		meetingOp(2, "c2", "job", Dequeue, "", 5, 6, Info),
		meetingOp(3, "c2", "job", Enqueue, "more", 7, 8, Ok),
		meetingOp(4, "c3", "job", Dequeue, "", 9, 0, Pending),
	}}
	trace := h.QueueTrace("s")
	var text bytes.Buffer
	if err := WriteEDN(&text, trace, "queue"); err != nil {
		t.Fatal(err)
	}
	again, err := ReadEDN(&text, "text", "queue")
	if err != nil {
		t.Fatalf("%v\n%s", err, text.String())
	}
	if len(again.Calls) != len(trace.Calls) {
		t.Errorf("%d calls, want %d", len(again.Calls), len(trace.Calls))
	}
}
