package exact

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/etcd-holdfast/holdfast/history"
)

// registerHistory draws a legal history of a register like Jepsen's: busy
// processes, reads, writes and compare-and-sets, of values 0 to 4, or unique
// ones if values is 0. A call is one of unknown outcome with some probability,
// and half of those took effect.
func registerHistory(seed uint64, processes, n, values int, unknown float64) []history.Call {
	r := rand.New(rand.NewPCG(seed, 2))
	state, unique := history.Nil, history.Value(0)
	calls := make([]history.Call, 0, n)
	const idle = -1
	pending, done := make([]int, processes), make([]bool, processes)
	for i := range pending {
		pending[i] = idle
	}
	next := int32(processes)
	owner := make([]int32, processes)
	for i := range owner {
		owner[i] = int32(i)
	}
	effect := func(c *history.Call) {
		c.Known = history.Succeeded
		switch {
		case c.Function == history.FunctionRead:
			c.Value = state
		case c.Function == history.FunctionWrite || state == c.Argument:
			state = c.Value
		default:
			c.Known = history.Refused
		}
	}
	for at, busy := int64(0), 0; len(calls) < n || busy > 0; at++ {
		i := r.IntN(processes)
		k := pending[i]
		switch {
		case k == idle && len(calls) < n:
			c := history.Call{ID: int64(len(calls)), Process: owner[i], Invoke: at, Return: history.NoReturn,
				Function: [...]history.Function{history.FunctionRead, history.FunctionWrite, history.FunctionCompareAndSet}[r.IntN(3)]}
			if c.Function != history.FunctionRead {
				if c.Value, c.Argument = history.Value(r.IntN(max(values, 1))), history.Value(r.IntN(max(values, 1))); values == 0 {
					unique++
					c.Value, c.Argument = unique, state
				}
				if c.Function == history.FunctionWrite {
					c.Argument = history.Nil
				}
			}
			pending[i], done[i] = len(calls), false
			calls = append(calls, c)
			busy++
		case k == idle:
		case !done[i] && r.Float64() < unknown:
			if r.IntN(2) == 0 {
				effect(&calls[k])
			}
			c := &calls[k]
			if c.Known = history.Unknown; c.Function == history.FunctionRead {
				c.Value = history.Nil
			}
			pending[i], owner[i] = idle, next
			next++
			busy--
		case !done[i]:
			effect(&calls[k])
			done[i] = true
		default:
			calls[k].Return = at
			pending[i] = idle
			busy--
		}
	}
	return calls
}

// stale makes a read about the middle tell what was read long before it.
func stale(calls []history.Call) {
	old := history.Nil
	for i := range calls {
		c := &calls[i]
		if c.Function != history.FunctionRead || c.Known != history.Succeeded {
			continue
		}
		if i < len(calls)/4 {
			old = c.Value
		} else if i > len(calls)/2 && c.Value != old {
			c.Value = old
			return
		}
	}
}

func BenchmarkFrontier(b *testing.B) {
	for _, values := range []int{5, 0} {
		for _, processes := range []int{5, 10} {
			for _, unknown := range []float64{0, 0.01, 0.05, 0.1} {
				for _, spoilt := range []bool{false, true} {
					calls := registerHistory(1, processes, 100_000, values, unknown)
					if spoilt {
						stale(calls)
					}
					b.Run(fmt.Sprintf("values=%d/processes=%d/unknown=%g%%/stale=%v", values, processes, 100*unknown, spoilt), func(b *testing.B) {
						b.ReportAllocs()
						for b.Loop() {
							got := Frontier(b.Context(), RegisterSpecification{Start: history.Nil}, calls, Limits{})
							found, undecided := 0.0, 0.0
							if got.Violation != nil {
								found = float64(len(got.Violation.Witness))
							}
							if got.Unknown != "" {
								undecided = 1
								b.Log(got.Unknown)
							}
							b.ReportMetric(found, "witness")
							b.ReportMetric(undecided, "unknown")
						}
					})
				}
			}
		}
	}
}
