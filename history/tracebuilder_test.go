package history

import (
	"strings"
	"testing"
)

func TestTraceBuilder(t *testing.T) {
	b := NewTraceBuilder("x")
	b.Expect(3)
	invoke := func(process, object string, f Function, line int) {
		t.Helper()
		if err := b.Invoke(Call{Process: b.Process(process), Object: b.Object([]byte(object)), Function: f, Value: Nil}, line, int64(line)*10); err != nil {
			t.Fatal(err)
		}
	}
	complete := func(process string, f Function, known Known, line int) *Call {
		t.Helper()
		c, err := b.Complete(b.Process(process), f, known, line, int64(line)*10)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	fails := func(err error, want string) {
		t.Helper()
		if err == nil || err.Error() != want {
			t.Errorf("error %v\nwant %s", err, want)
		}
	}
	invoke("7", "a", FunctionRead, 2)
	invoke("main", "b", FunctionWrite, 3)
	fails(b.Invoke(Call{Process: b.Process("7"), Function: FunctionWrite}, 4, 0), "process 7 calls write while its read of line 2 has not returned")
	_, err := b.Complete(b.Process("7"), FunctionWrite, Succeeded, 4, 0)
	fails(err, "process 7 returns from write, and what it called, in line 2, is read")
	fails(b.Drop(b.Process("-1"), FunctionWrite, 4, 0), "process -1 returns from write and had not called it")
	complete("7", FunctionRead, Succeeded, 5).Value = b.Symbol([]byte("v"))
	if err := b.Drop(b.Process("main"), FunctionWrite, 6, 60); err != nil {
		t.Fatal(err)
	}
	invoke("3000000", "a", FunctionWrite, 7)
	complete("3000000", FunctionWrite, Unknown, 8)
	invoke("3000000", "a", FunctionRead, 9)
	invoke("007", "a", FunctionRead, 10)
	trace := b.Trace()
	want := lines("2: 7 read on a v [0, 2]", "7: 3000000 write on a [4, ?", "9: 3000000 read on a [6, ?", "10: 007 read on a [7, ?")
	if got := tell(trace); got != want {
		t.Errorf("built\n%swant\n%s", got, want)
	}
	wellFormed(t, trace)
	if at := trace.At(2); at != "line 5 (0.000 s)" || len(trace.Times) != len(trace.Lines) || trace.Times[2] != 50 {
		t.Errorf("position 2 is at %s, times %v", at, trace.Times)
	}
	if trace.Symbol("v") != trace.Calls[0].Value {
		t.Error("one text has two values")
	}
}

// A source that does not tell all times tells none.
func TestTraceBuilderWithoutTimes(t *testing.T) {
	b := NewTraceBuilder("x")
	for process, time := range []int64{5, NoTime, 7} {
		if err := b.Invoke(Call{Process: b.ProcessNumber(int64(process)), Function: FunctionRead}, 1, time); err != nil {
			t.Fatal(err)
		}
	}
	if trace := b.Trace(); trace.Times != nil || trace.At(2) != "line 1" || strings.Join(trace.Objects, "|") != "" || len(trace.Objects) != 1 {
		t.Errorf("%+v", trace)
	}
}

// A number is one process, whether it is far from the others or not any more.
func TestTraceBuilderProcesses(t *testing.T) {
	b := NewTraceBuilder("x")
	far := b.ProcessNumber(3000)
	for n := range int64(5000) {
		if p := b.ProcessNumber(n); (p == far) != (n == 3000) || b.Process(b.trace.Processes[p]) != p || b.ProcessNumber(n) != p {
			t.Fatalf("process %d is number %d, %s", n, p, b.trace.Processes[p])
		}
	}
	if len(b.Trace().Processes) != 5000 {
		t.Errorf("%d processes", len(b.trace.Processes))
	}
}
