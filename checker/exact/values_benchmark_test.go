package exact

import (
	"math/rand/v2"
	"testing"

	"github.com/etcd-holdfast/holdfast/history"
)

// benchmarkCalls are a million calls of 16 processes that take turns, each call
// as long as 16 of them; or all at once. What a call did is filled in by next,
// at a point inside it.
func benchmarkCalls(concurrent bool, next func(i int, r *rand.Rand, c *history.Call)) []history.Call {
	r := rand.New(rand.NewPCG(1, 2))
	calls := make([]history.Call, 1_000_000)
	for i := range calls {
		c := &calls[i]
		*c = history.Call{ID: int64(i), Process: int32(i % 16), Known: history.Succeeded, Invoke: int64(10 * i), Return: int64(10*i + 140 + r.IntN(9))}
		if concurrent {
			c.Process, c.Return = int32(i), int64(20_000_000+r.IntN(10_000_000))
		}
		next(i, r, c)
	}
	return calls
}

// benchmarkQueue fills and drains a queue in turn; priority i is step times i.
func benchmarkQueue(step int) func(i int, r *rand.Rand, c *history.Call) {
	var present []history.Value
	return func(i int, r *rand.Rand, c *history.Call) {
		if c.Value = history.Value(i); i%2 == 0 {
			c.Function, c.Argument = history.FunctionEnqueue, history.Value(step*i)
			present = append(present, c.Value)
			return
		}
		c.Function, c.Value = history.FunctionDequeue, present[0]
		present = present[1:]
	}
}

func benchmarkRegister() func(i int, r *rand.Rand, c *history.Call) {
	value := history.Value(0)
	return func(i int, r *rand.Rand, c *history.Call) {
		if c.Function, c.Value, c.Revision = history.FunctionRead, value, int64(i+1); i%2 == 0 {
			value++
			c.Function, c.Value = history.FunctionWrite, value
		}
	}
}

// BenchmarkValues judges a million calls of each object that carries values,
// legal ones of few processes, the same with two answers in the middle
// exchanged, with every tenth answer unknown, and all calls at once.
func BenchmarkValues(b *testing.B) {
	for _, object := range []struct {
		name  string
		make  func() func(int, *rand.Rand, *history.Call)
		check func([]history.Call) (*Violation, bool)
	}{
		{"queue", func() func(int, *rand.Rand, *history.Call) { return benchmarkQueue(0) }, Queue},
		{"priority-queue", func() func(int, *rand.Rand, *history.Call) { return benchmarkQueue(1) }, PriorityQueue},
		{"register", benchmarkRegister, func(calls []history.Call) (*Violation, bool) { return Register(calls, 0) }},
		{"kv", benchmarkRegister, KV},
	} {
		b.Run(object.name+"/legal", func(b *testing.B) {
			benchmarkCheck(b, benchmarkCalls(false, object.make()), object.check, false)
		})
		b.Run(object.name+"/violated", func(b *testing.B) {
			calls := benchmarkCalls(false, object.make())
			calls[500_001].Value, calls[500_201].Value = calls[500_201].Value, calls[500_001].Value
			benchmarkCheck(b, calls, object.check, true)
		})
		b.Run(object.name+"/unknown", func(b *testing.B) {
			calls := benchmarkCalls(false, object.make())
			for i := range calls { // every tenth of what answers, as of a process of its own
				if i%20 == 1 {
					calls[i].Known, calls[i].Return, calls[i].Revision, calls[i].Process = history.Unknown, history.NoReturn, 0, int32(i)
				}
			}
			benchmarkCheck(b, calls, object.check, false)
		})
		b.Run(object.name+"/concurrent", func(b *testing.B) {
			benchmarkCheck(b, benchmarkCalls(true, object.make()), object.check, false)
		})
	}
}

func benchmarkCheck(b *testing.B, calls []history.Call, check func([]history.Call) (*Violation, bool), violated bool) {
	b.Helper()
	for b.Loop() {
		if v, decided := check(calls); !decided || (v != nil) != violated {
			b.Fatalf("violated %v, decided %v", v != nil, decided)
		}
	}
}
