package exact

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/etcd-holdfast/holdfast/history"
)

// valueDrawing makes small histories: calls of a sequential object at points of time
// that rise slowly, so that many are equal, with intervals around them.
type valueDrawing struct {
	*rand.Rand
	calls []history.Call
	free  []int64 // by process: when its last call returned
	now   int64
}

// drawValues makes a history of up to n calls. Next fills in the call that takes
// effect at the present point, or would; effect is false for one that has none,
// which is unknown then.
func drawValues(r *rand.Rand, n int, unknown float64, next func(d *valueDrawing, c *history.Call, effect bool)) []history.Call {
	d := &valueDrawing{Rand: r, free: make([]int64, 2+r.IntN(3))}
	width := 1 + r.Int64N(5)
	n = n/2 + r.IntN(n-n/2) + 1
	for len(d.calls) < n {
		d.now += r.Int64N(3)
		p := r.IntN(len(d.free))
		if d.free[p] > d.now {
			continue
		}
		c := history.Call{ID: int64(len(d.calls)), Process: int32(p), Known: history.Succeeded}
		c.Invoke = max(d.free[p], d.now-r.Int64N(width))
		c.Return = d.now + r.Int64N(width)
		d.free[p] = c.Return
		effect := true
		if r.Float64() < unknown {
			c.Known, c.Return = history.Unknown, history.NoReturn
			effect = r.IntN(2) == 0
			d.free[p] = d.now + r.Int64N(3) // another process, which takes the place of the crashed one
		}
		next(d, &c, effect)
		d.calls = append(d.calls, c)
	}
	slices.SortStableFunc(d.calls, func(a, b history.Call) int { return cmp.Compare(a.Invoke, b.Invoke) })
	for i := range d.calls { // a crashed process makes no more calls
		if d.calls[i].Known == history.Unknown {
			d.calls[i].Process = int32(10 + i)
		}
	}
	return d.calls
}

// spoilAnswers makes some calls shorter, or swaps their values or revisions.
func spoilAnswers(r *rand.Rand, calls []history.Call, answers func(*history.Call) bool) {
	for range 2 + r.IntN(6) {
		c, o := &calls[r.IntN(len(calls))], &calls[r.IntN(len(calls))]
		if c.Known == history.Unknown {
			continue
		}
		switch r.IntN(5) {
		case 0:
			c.Return = c.Invoke + r.Int64N(c.Return-c.Invoke+1)
		case 1:
			c.Invoke += r.Int64N(c.Return - c.Invoke + 1)
		case 2:
			if c.Revision != 0 {
				c.Revision = max(1, c.Revision+r.Int64N(5)-2)
			}
		default:
			switch {
			case !answers(c) || c.Known != history.Succeeded:
			case answers(o) && o.Known == history.Succeeded:
				c.Value, o.Value = o.Value, c.Value
			case !answers(o):
				c.Value = o.Value
			}
		}
	}
	slices.SortStableFunc(calls, func(a, b history.Call) int { return cmp.Compare(a.Invoke, b.Invoke) })
}

// drawRegister draws a register without comparisons, unless there is a share of
// them: those are of unknown outcome and never took effect.
func drawRegister(r *rand.Rand, comparisons float64) []history.Call {
	state, written := history.Value(0), history.Value(0)
	calls := drawValues(r, 10, 0.15, func(d *valueDrawing, c *history.Call, effect bool) {
		c.Function = history.FunctionRead
		c.Value = state
		if r.IntN(2) == 0 {
			written++
			c.Function, c.Value = history.FunctionWrite, written
			if c.Known == history.Unknown && r.Float64() < comparisons {
				c.Function, c.Argument = history.FunctionCompareAndSet, 77
				effect = false
			}
			if effect {
				state = c.Value
			}
		} else if c.Known == history.Unknown {
			c.Value = history.Nil
		}
	})
	if r.IntN(8) > 0 {
		spoilAnswers(r, calls, func(c *history.Call) bool { return c.Function == history.FunctionRead })
	}
	return calls
}

// drawQueue draws a queue, or a priority queue if that has priorities.
func drawQueue(unknown float64, priorities int) func(r *rand.Rand) []history.Call {
	return func(r *rand.Rand) []history.Call {
		var present []history.Call
		var last history.Value
		enqueue := 1 + r.IntN(3)
		calls := drawValues(r, 9, unknown*float64(r.IntN(2)), func(d *valueDrawing, c *history.Call, effect bool) {
			if r.IntN(4) < enqueue {
				last++
				c.Function, c.Value = history.FunctionEnqueue, last
				if priorities > 0 {
					c.Argument = history.Value(r.IntN(priorities))
				}
				if effect {
					present = append(present, *c)
				}
				return
			}
			c.Function, c.Value = history.FunctionDequeue, history.Nil
			if len(present) == 0 {
				if c.Known == history.Succeeded && r.IntN(2) == 0 {
					c.Known = history.Refused
				}
				return
			}
			if effect {
				slices.SortStableFunc(present, func(a, b history.Call) int { return cmp.Compare(a.Argument, b.Argument) })
				if c.Known == history.Succeeded {
					c.Value = present[0].Value
				}
				present = present[1:]
			}
		})
		if r.IntN(8) > 0 {
			spoilAnswers(r, calls, func(c *history.Call) bool { return c.Function == history.FunctionDequeue })
		}
		return calls
	}
}

// drawKV draws a key of a store in which other keys change, too.
func drawKV(comparisons float64) func(r *rand.Rand) []history.Call {
	return func(r *rand.Rand) []history.Call {
		state, written, revision := history.Nil, history.Value(0), int64(1)
		calls := drawValues(r, 10, 0.15, func(d *valueDrawing, c *history.Call, effect bool) {
			revision += r.Int64N(2)
			c.Revision = revision
			switch r.IntN(4) {
			case 0, 1:
				c.Function, c.Value = history.FunctionRead, state
			default:
				written++
				c.Function, c.Value = history.FunctionWrite, written
				if r.IntN(4) == 0 {
					c.Value = history.Value(1 + r.IntN(2))
				}
				if r.Float64() < comparisons {
					c.Function, c.Argument = history.FunctionCompareAndSet, state
					if r.IntN(3) == 0 {
						c.Argument = written
						effect = state == written
						if !effect && c.Known == history.Succeeded {
							c.Known = history.Refused
						}
					}
				}
				if effect && c.Known != history.Refused {
					revision++
					c.Revision, state = revision, c.Value
				}
			}
			if c.Known == history.Unknown {
				c.Revision = 0
				if c.Function == history.FunctionRead {
					c.Value = history.Nil
				}
			}
		})
		if r.IntN(8) > 0 {
			spoilAnswers(r, calls, func(c *history.Call) bool { return c.Function == history.FunctionRead })
		}
		return calls
	}
}
