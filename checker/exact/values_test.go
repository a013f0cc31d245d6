package exact

import (
	"slices"
	"testing"

	"github.com/etcd-holdfast/holdfast/history"
)

// story makes calls of one object, each by a process of its own.
type story []history.Call

func (s *story) add(f history.Function, invoke, end int64, value history.Value) *history.Call {
	c := history.Call{ID: int64(len(*s)), Process: int32(len(*s)), Invoke: invoke, Return: end, Value: value, Function: f, Known: history.Succeeded}
	if end == history.NoReturn {
		c.Known = history.Unknown
	}
	*s = append(*s, c)
	return &(*s)[len(*s)-1]
}

func (s *story) enqueue(invoke, end int64, value history.Value) {
	s.add(history.FunctionEnqueue, invoke, end, value).Argument = value // as a priority: lower first
}
func (s *story) dequeue(invoke, end int64, value history.Value) {
	s.add(history.FunctionDequeue, invoke, end, value)
}
func (s *story) write(invoke, end int64, value history.Value, revision int64) {
	s.add(history.FunctionWrite, invoke, end, value).Revision = revision
}
func (s *story) read(invoke, end int64, value history.Value, revision int64) {
	s.add(history.FunctionRead, invoke, end, value).Revision = revision
}

const never = history.NoReturn

// TestValuesByStories tells in a few calls what each check finds, when it is
// proved, and by which calls.
func TestValuesByStories(t *testing.T) {
	register := func(calls []history.Call) (*Violation, bool) { return Register(calls, 0) }
	for _, c := range []struct {
		name    string
		check   func([]history.Call) (*Violation, bool)
		calls   func(s *story)
		at      int64 // 0: legal
		witness []int64
	}{
		{"queue: in order", Queue, func(s *story) {
			s.enqueue(1, 2, 1)
			s.enqueue(3, 4, 2)
			s.dequeue(5, 6, 1)
			s.dequeue(7, 8, 2)
			s.dequeue(9, 10, history.Nil)
		}, 0, nil},
		{"queue: of nothing", Queue, func(s *story) { s.dequeue(1, 2, 7) }, 2, []int64{0}},
		{"queue: before its enqueue", Queue, func(s *story) { s.dequeue(1, 2, 7); s.enqueue(3, 4, 7) }, 2, []int64{0, 1}},
		{"queue: touching its enqueue", Queue, func(s *story) { s.dequeue(1, 2, 7); s.enqueue(2, 4, 7) }, 0, nil},
		{"queue: twice", Queue, func(s *story) { s.enqueue(1, 2, 7); s.dequeue(3, 9, 7); s.dequeue(4, 8, 7) }, 9, []int64{0, 1, 2}},
		{"queue: overtaken", Queue, func(s *story) {
			s.enqueue(1, 2, 1)
			s.enqueue(3, 4, 2)
			s.dequeue(5, 6, 2)
			s.dequeue(7, 8, 1)
			s.enqueue(9, 10, 3)
		}, 6, []int64{0, 1, 2, 3}},
		{"queue: the other dequeue may have been first", Queue, func(s *story) {
			s.enqueue(1, 2, 1)
			s.enqueue(3, 4, 2)
			s.dequeue(5, 6, 2)
			s.dequeue(6, 8, 1)
		}, 0, nil},
		{"queue: an unknown dequeue may have been first", Queue, func(s *story) {
			s.enqueue(1, 2, 1)
			s.enqueue(3, 4, 2)
			s.dequeue(5, never, history.Nil)
			s.dequeue(5, 6, 2)
		}, 0, nil},
		{"queue: but not for two elements", Queue, func(s *story) {
			s.enqueue(1, 2, 1)
			s.enqueue(1, 2, 2)
			s.enqueue(3, 4, 3)
			s.dequeue(5, never, history.Nil)
			s.dequeue(5, 6, 3)
		}, 6, []int64{0, 1, 2, 3, 4}},
		{"queue: never empty, for elements that overlap", Queue, func(s *story) {
			s.enqueue(1, 2, 1)
			s.dequeue(4, 30, history.Nil)
			s.enqueue(5, 6, 2)
			s.dequeue(10, 11, 1)
			s.dequeue(31, 32, 2)
		}, 30, []int64{0, 1, 2, 3, 4}},
		{"queue: empty for a moment", Queue, func(s *story) {
			s.enqueue(1, 2, 1)
			s.dequeue(4, 30, history.Nil)
			s.enqueue(5, 10, 2)
			s.dequeue(10, 11, 1)
			s.dequeue(31, 32, 2)
		}, 0, nil},
		{"priority queue: the better one first", PriorityQueue, func(s *story) {
			s.enqueue(1, 2, 5)
			s.enqueue(3, 4, 1)
			s.dequeue(5, 6, 1)
			s.dequeue(7, 8, 5)
		}, 0, nil},
		{"priority queue: the worse one first", PriorityQueue, func(s *story) {
			s.enqueue(1, 2, 1)
			s.enqueue(3, 4, 5)
			s.dequeue(5, 6, 5)
			s.dequeue(7, 8, 1)
		}, 6, []int64{0, 1, 2, 3}},
		{"priority queue: always a better one", PriorityQueue, func(s *story) {
			s.enqueue(1, 2, 1)
			s.enqueue(1, 2, 9)
			s.enqueue(3, 4, 2)
			s.dequeue(4, 20, 9)
			s.dequeue(6, 7, 1)
			s.dequeue(21, 22, 2)
		}, 20, []int64{0, 1, 2, 3, 4, 5}},
		{"priority queue: too few unknown dequeues", PriorityQueue, func(s *story) {
			s.enqueue(1, 2, 1)
			s.enqueue(1, 2, 2)
			s.enqueue(1, 2, 9)
			s.dequeue(3, never, history.Nil)
			s.dequeue(4, 20, 9)
		}, 20, []int64{0, 1, 2, 3, 4}},
		{"register: a read of what nobody wrote", register, func(s *story) { s.read(1, 2, 7, 0) }, 2, []int64{0}},
		{"register: of what was not begun", register, func(s *story) { s.read(1, 2, 7, 0); s.write(3, 4, 7, 0) }, 2, []int64{0, 1}},
		{"register: stale", register, func(s *story) { s.write(1, 2, 1, 0); s.write(3, 4, 2, 0); s.read(5, 6, 1, 0) }, 6, []int64{0, 1, 2}},
		{"register: back to the first value", register, func(s *story) { s.write(1, 2, 1, 0); s.read(3, 4, 0, 0) }, 4, []int64{0, 1}},
		{"register: an unknown write is seen, and not any more", register, func(s *story) {
			s.write(1, never, 1, 0)
			s.read(3, 4, 1, 0)
			s.read(5, 6, 0, 0)
		}, 6, []int64{0, 1, 2}},
		{"register: an unknown write is seen late", register, func(s *story) {
			s.write(1, never, 1, 0)
			s.write(2, 3, 2, 0)
			s.read(4, 5, 2, 0)
			s.read(6, 7, 1, 0)
		}, 0, nil},
		{"kv: by revision", KV, func(s *story) { s.write(1, 9, 1, 5); s.write(1, 9, 2, 4); s.read(1, 9, 2, 4); s.read(10, 11, 1, 7) }, 0, nil},
		{"kv: a read that is stale at its revision", KV, func(s *story) { s.write(1, 9, 1, 4); s.write(1, 9, 2, 5); s.read(10, 11, 1, 5) }, 11, []int64{0, 1, 2}},
		{"kv: a revision goes back", KV, func(s *story) { s.write(1, 2, 1, 5); s.write(3, 4, 2, 4) }, 4, []int64{0, 1}},
		{"kv: one revision twice", KV, func(s *story) { s.write(1, 4, 1, 5); s.write(1, 5, 2, 5) }, 5, []int64{0, 1}},
		{"kv: an unknown write explains a read", KV, func(s *story) { s.write(1, 2, 1, 4); s.write(3, never, 2, 0); s.read(4, 5, 2, 5) }, 0, nil},
		{"kv: but there is no revision for it", KV, func(s *story) { s.write(1, 2, 1, 4); s.write(3, never, 2, 0); s.read(4, 5, 2, 4) }, 5, []int64{0, 1, 2}},
	} {
		var s story
		c.calls(&s)
		v, decided := c.check(s)
		if !decided {
			t.Errorf("%s: undecided", c.name)
			continue
		}
		if v == nil {
			if c.at != 0 {
				t.Errorf("%s: no violation", c.name)
			}
			continue
		}
		var ids []int64
		for _, w := range v.Witness {
			ids = append(ids, w.ID)
		}
		if v.At != c.at || !slices.Equal(ids, c.witness) {
			t.Errorf("%s: at %d by %v, want %d by %v", c.name, v.At, ids, c.at, c.witness)
		}
	}
}

func TestWhatIsNotDecided(t *testing.T) {
	register := func(calls []history.Call) (*Violation, bool) { return Register(calls, 0) }
	for _, c := range []struct {
		name  string
		check func([]history.Call) (*Violation, bool)
		calls func(s *story)
	}{
		{"queue: a value twice", Queue, func(s *story) { s.enqueue(1, 2, 7); s.enqueue(1, 2, 7) }},
		{"queue: a call of something else", Queue, func(s *story) { s.read(1, 2, 7, 0) }},
		{"priority queue: no priority", PriorityQueue, func(s *story) { s.enqueue(1, 2, 7); (*s)[0].Argument = history.Nil }},
		{"register: a value twice", register, func(s *story) { s.write(1, 2, 7, 0); s.write(1, 2, 7, 0) }},
		{"register: the first value again", register, func(s *story) { s.write(1, 2, 0, 0) }},
		{"register: a comparison", register, func(s *story) { s.add(history.FunctionCompareAndSet, 1, 2, 7) }},
		{"kv: no revision", KV, func(s *story) { s.write(1, 2, 7, 0) }},
	} {
		var s story
		c.calls(&s)
		if v, decided := c.check(s); decided || v != nil {
			t.Errorf("%s: decided", c.name)
		}
	}
}
