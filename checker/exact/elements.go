package exact

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/etcd-holdfast/holdfast/history"
)

// elements are the calls of a queue or priority queue whose values are unique,
// by what was enqueued. An element is present from its enqueue to its dequeue,
// surely from the enqueue's return to the dequeue's call.
type elements struct {
	calls []history.Call
	all   []element
	of    []int32 // by call: the element that it enqueues, or is known to dequeue; or -1
	// wrong are the dequeues of what one that returned earlier had dequeued, and
	// those that returned before an enqueue of their value was made.
	wrong []wrongDequeue
	// byReturn are the elements whose enqueue succeeded, by its return. A cut
	// leaves the first of them.
	byReturn []int32
	empties  []int32 // dequeues that found nothing, by call
	dequeues []int32 // all dequeues, by call
}

// element is an enqueue and the dequeue that returned its value, or -1.
type element struct{ enqueue, dequeue int32 }

// wrongDequeue is a dequeue that is wrong next to the call other, or by itself
// if that is -1.
type wrongDequeue struct{ dequeue, other int32 }

// newElements returns false if the values are not unique, or a call is none of
// a queue.
func newElements(calls []history.Call) (*elements, bool) {
	e := &elements{calls: calls, of: make([]int32, len(calls)), all: make([]element, 0, len(calls)/2+1)}
	known := newNumbers(calls, func(c *history.Call) bool { return c.Function == history.FunctionEnqueue })
	for i := range calls {
		c := &calls[i]
		e.of[i] = -1
		switch c.Function {
		case history.FunctionEnqueue:
			if c.Known == history.Refused || c.Value == history.Nil || known.of(c.Value) >= 0 {
				return nil, false
			}
			e.of[i] = int32(len(e.all))
			known.set(c.Value, e.of[i])
			e.all = append(e.all, element{int32(i), -1})
		case history.FunctionDequeue:
			e.dequeues = append(e.dequeues, int32(i))
		default:
			return nil, false
		}
	}
	for _, i := range e.dequeues {
		c := &calls[i]
		switch {
		case c.Known == history.Unknown:
			continue
		case c.Known == history.Refused || c.Value == history.Nil:
			e.empties = append(e.empties, i)
			continue
		}
		k := known.of(c.Value)
		if k < 0 {
			e.wrong = append(e.wrong, wrongDequeue{i, -1})
			continue
		}
		e.of[i] = k
		el := &e.all[k]
		switch {
		case calls[el.enqueue].Invoke > c.Return:
			e.wrong = append(e.wrong, wrongDequeue{i, el.enqueue})
		case el.dequeue < 0:
			el.dequeue = i
		case calls[el.dequeue].Return <= c.Return:
			e.wrong = append(e.wrong, wrongDequeue{i, el.dequeue})
		default:
			e.wrong = append(e.wrong, wrongDequeue{el.dequeue, i})
			el.dequeue = i
		}
	}
	for k := range e.all {
		if c := &calls[e.all[k].enqueue]; c.Known == history.Succeeded {
			e.byReturn = append(e.byReturn, int32(k))
		}
	}
	byReturn := func(a, b int32) int {
		return cmp.Compare(calls[e.all[a].enqueue].Return, calls[e.all[b].enqueue].Return)
	}
	if !slices.IsSortedFunc(e.byReturn, byReturn) {
		slices.SortFunc(e.byReturn, byReturn)
	}
	return e, true
}

// wrongBy returns a dequeue that is wrong by itself in the history that is
// known by a position.
func (e *elements) wrongBy(through int64) *wrongDequeue {
	for i := range e.wrong {
		if e.calls[e.wrong[i].dequeue].Return <= through {
			return &e.wrong[i]
		}
	}
	return nil
}

// dequeuedBy returns the dequeue of an element that is known by a position, or nil.
func (e *elements) dequeuedBy(k int32, through int64) *history.Call {
	if d := e.all[k].dequeue; d >= 0 && e.calls[d].Return <= through {
		return &e.calls[d]
	}
	return nil
}

// helpers returns the dequeues of which it is not known by a position what
// came of them, by call.
func (e *elements) helpers(through int64, into []int32) []int32 {
	into = into[:0]
	for _, i := range e.dequeues {
		c := &e.calls[i]
		if c.Invoke > through {
			break
		}
		if !knownBy(c, through) {
			into = append(into, i)
		}
	}
	return into
}

// whole returns the calls with the given indexes, and with each all calls of
// its element. An element that is added is one more that has to go, and a
// dequeue that was unknown when the violation was proved took some element,
// which is added: so the whole is a violation if its part, cut then, was one.
func (e *elements) whole(indexes []int32) []history.Call {
	var all []int32
	for _, i := range indexes {
		if i < 0 {
			continue
		}
		all = append(all, i)
		if k := e.of[i]; k >= 0 {
			all = append(all, e.all[k].enqueue, e.all[k].dequeue)
		}
	}
	return pick(e.calls, all)
}

// tellWrong tells of a dequeue that is wrong by itself.
func (e *elements) tellWrong(w wrongDequeue) *evidence {
	c := e.calls[w.dequeue]
	f := &evidence{indexes: func() []int32 { return []int32{w.dequeue, w.other} }, guess: c.Return}
	told := func(t *history.Trace) string {
		return fmt.Sprintf("%s dequeued %s from %s at %s", t.Called(c.Process), t.Text(c.Value), object(t, c.Object), t.At(c.Return))
	}
	if w.other < 0 {
		f.tell = func(t *history.Trace) string { return told(t) + ", which nobody had enqueued" }
		return f
	}
	other := e.calls[w.other]
	f.tell = func(t *history.Trace) string {
		if other.Function == history.FunctionEnqueue {
			return told(t) + fmt.Sprintf(", before %s enqueued it at %s", t.Called(other.Process), t.At(other.Invoke))
		}
		return told(t) + fmt.Sprintf(", and %s at %s: it had been enqueued once", t.Called(other.Process), t.At(other.Return))
	}
	return f
}
