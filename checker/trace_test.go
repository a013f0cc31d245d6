package checker

import (
	"context"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/checker/exact"
	"github.com/etcd-holdfast/holdfast/history"
)

// TestTraceOfARun: what a run's clients were told, judged as a trace, breaks
// the lock if and only if the run has overlaps.
func TestTraceOfARun(t *testing.T) {
	models := map[history.Primitive]string{history.Mutex: "owner-mutex", history.RWMutex: "rwmutex", history.Election: "owner-mutex"}
	kept, broken := 0, 0
	for seed := range uint64(600) {
		primitive := primitives[seed%3]
		s := simulate(seed, primitive)
		n := len(s.records)
		h := s.cut(n, n, s.layout())
		if seed%2 == 1 { // one that lies
			for i := range h.Operations {
				if op := &h.Operations[i]; op.Kind.Acquires() && op.Outcome == history.Ok && i%5 == 0 {
					op.Return = op.Call
				}
			}
		}
		overlaps := 0.0
		for _, p := range Check(h, Options{}).Properties {
			if p.Property == Exclusion {
				overlaps += p.Figures["overlaps"]
			}
		}
		m, _ := exact.ModelNamed(models[primitive])
		r := CheckTrace(context.Background(), h.HoldsTrace(h.Header.Subjects[0].Name), m, exact.Parameters{}, exact.Limits{})
		if (r.Verdict == Violated) != (overlaps > 0) {
			t.Errorf("seed %d: %v overlaps in the run, its trace is %s: %s", seed, overlaps, r.Verdict, r.Sentence)
		}
		if overlaps > 0 {
			broken++
		} else {
			kept++
		}
	}
	if kept < 20 || broken < 20 {
		t.Errorf("%d kept, %d broken: too few of one kind to mean anything", kept, broken)
	}
}

// TestCheckTrace: objects are judged alone, and the verdict is the worst.
func TestCheckTrace(t *testing.T) {
	call := func(object, process int32, f history.Function, from, to int64) history.Call {
		c := history.Call{Object: object, Process: process, Function: f, Invoke: from, Return: to, Known: history.Succeeded, Value: history.Nil, Argument: history.Nil}
		if to == history.NoReturn {
			c.Known = history.Unknown
		}
		return c
	}
	trace := &history.Trace{Objects: []string{"a", "b"}, Processes: []string{"c1", "c2"}, Calls: []history.Call{
		call(0, 0, history.FunctionAcquire, 1, 2), call(1, 1, history.FunctionAcquire, 1, 2),
		call(0, 0, history.FunctionRelease, 8, history.NoReturn),
	}}
	m, _ := exact.ModelNamed("owner-mutex")
	check := func() *TraceResult {
		return CheckTrace(context.Background(), trace, m, exact.Parameters{}, exact.Limits{})
	}
	if r := check(); r.Verdict != Holds || r.Exit != ExitHolds {
		t.Errorf("two holds of two locks: %s: %s", r.Verdict, r.Sentence)
	}
	trace.Calls = append(trace.Calls, call(1, 0, history.FunctionAcquire, int64(10*time.Second), int64(11*time.Second)))
	r := check()
	if r.Verdict != Violated || r.Exit != ExitViolated || len(r.Violations) != 1 || r.Violations[0].Object != "b" || len(r.Violations[0].Witness) != 2 {
		t.Errorf("two holds of one lock: %+v", r)
	}
	trace.Calls = nil
	if r := check(); r.Verdict != Vacuous || r.Exit != ExitUnknown {
		t.Errorf("no calls: %s", r.Verdict)
	}
}
