package exact

import (
	"fmt"

	"github.com/etcd-holdfast/holdfast/history"
)

// DoubleBarrier judges a barrier that count processes enter together and leave
// together. The g-th Enter of every process belongs to generation g, and the
// g-th Leave too. An Enter that succeeded returned only after count Enters of
// its generation were invoked, and a Leave only after count Leaves were. Calls
// of unknown outcome count: they may have arrived.
//
// It is exact: arriving can take effect at the invocation of a call, and passing
// at its return, whatever the others do. So only the number of invocations until
// each return matters. O(n).
//
// It assumes that a process makes one call at a time, and does not decide
// refused calls. The witness is the call with all those of its generation that
// had been invoked, fewer than count.
func DoubleBarrier(calls []history.Call, count int) (v *Violation, decided bool) {
	done := newPerProcess(calls, [2]int32{}) // Enters and Leaves of each process so far
	opens := [2]*gate{{}, {}}
	generations := make([]int32, len(calls))
	until := int64(history.NoReturn)
	for i := range calls {
		c := &calls[i]
		if c.Function != history.FunctionEnter && c.Function != history.FunctionLeave || c.Known == history.Refused {
			until = c.Invoke
			break
		}
		s := side(c)
		sides := done.of(c.Process)
		g := sides[s]
		sides[s]++
		generations[i] = g
		opens[s].arrive(g, c.Invoke, int32(count))
	}
	first := -1
	for i := range calls {
		c := &calls[i]
		if c.Invoke >= until {
			break
		}
		if c.Known == history.Succeeded && c.Return < opens[side(c)].open(generations[i]) && (first < 0 || c.Return < calls[first].Return) {
			first = i
		}
	}
	if first < 0 || calls[first].Return >= until {
		return nil, until == history.NoReturn
	}
	return passedAlone(calls, generations, first, count), true
}

// side is 0 for Enter and 1 for Leave.
func side(c *history.Call) int {
	if c.Function == history.FunctionLeave {
		return 1
	}
	return 0
}

// gate knows when enough calls of each generation had been invoked.
type gate struct {
	arrived []int32
	opened  []int64
}

func (t *gate) arrive(generation int32, at int64, count int32) {
	// A process's generations are in sequence, so a new one is the next.
	if int(generation) == len(t.arrived) {
		t.arrived, t.opened = append(t.arrived, 0), append(t.opened, history.NoReturn)
	}
	if t.arrived[generation]++; t.arrived[generation] == count {
		t.opened[generation] = at
	}
}

func (t *gate) open(generation int32) int64 { return t.opened[generation] }

func passedAlone(calls []history.Call, generations []int32, i, count int) *Violation {
	c := calls[i]
	v := &Violation{At: c.Return}
	for k := range calls {
		if o := &calls[k]; o.Invoke <= c.Return && o.Function == c.Function && generations[k] == generations[i] {
			v.Witness = append(v.Witness, *o)
		}
	}
	arrived := len(v.Witness)
	v.tell = func(t *history.Trace) string {
		did, what := "entered", "enter"
		if c.Function == history.FunctionLeave {
			did, what = "left", "leave"
		}
		return fmt.Sprintf("%s %s %s at %s, when %d of %d processes had begun to %s it for the %s time",
			t.Called(c.Process), did, object(t, c.Object), t.At(c.Return), arrived, count, what, ordinal(generations[i]+1))
	}
	return v
}

func ordinal(n int32) string {
	suffix := "th"
	if n/10%10 != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprintf("%d%s", n, suffix)
}
