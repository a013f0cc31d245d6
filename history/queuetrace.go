package history

import (
	"cmp"
	"slices"
	"strings"
)

// QueueTrace returns what the clients of a queue or priority queue were told,
// with priorities as Argument. Positions are nanoseconds of the run.
//
// What the revision log tells, where the subject's items are keys, narrows the
// calls of unknown outcome. An enqueue whose item was put happened then, and one
// whose item never was is left out. An item that was deleted, and that no
// dequeue returned, was taken by a dequeue of unknown outcome that was called by
// then: where only one can have been it, that is the one; and a dequeue that can
// have taken no such item, though every item's fate is known, took none and is
// left out. What is left stays unknown.
//
// A dequeue that returned an item of another object of the subject counts as
// that object's, which is where the item went missing: that it is of another is
// for a checker to say. Only successful dequeues that returned something are
// known; calls that certainly had no effect are left out.
func (h *History) QueueTrace(subject string) *Trace {
	b := &queueBuilder{History: h, subject: subject, numbers: newNumbering(), enqueued: make(map[string]*Operation)}
	s, _ := h.Header.Subject(subject)
	b.read()
	var fates map[int64]Resolution
	if s.Layout == ItemKeys && h.Revisions != nil {
		fates = h.Resolve(h.Revisions)
		b.assign()
	}
	for i := range h.Operations {
		op := &h.Operations[i]
		if op.Subject != subject || op.Outcome == Fail {
			continue
		}
		switch op.Kind {
		case Enqueue:
			b.enqueue(op, fates[op.ID])
		case Dequeue:
			b.dequeue(op)
			b.elsewhere(op)
		}
	}
	return b.numbers.trace()
}

type queueBuilder struct {
	*History
	subject  string
	numbers  *numbering
	enqueued map[string]*Operation // by value; nil if several are
	// taken has, by ID, what dequeues of unknown outcome surely took.
	taken   map[int64]*Life
	objects []string
	// nothing are the dequeues of unknown outcome that surely took no item.
	nothing map[int64]bool
}

func (b *queueBuilder) read() {
	seen := make(map[string]bool)
	for i := range b.Operations {
		op := &b.Operations[i]
		if op.Subject != b.subject || op.Outcome == Fail {
			continue
		}
		if !seen[op.Object] {
			seen[op.Object] = true
			b.objects = append(b.objects, op.Object)
		}
		if op.Kind != Enqueue {
			continue
		}
		if _, twice := b.enqueued[op.Value]; twice {
			b.enqueued[op.Value] = nil
		} else {
			b.enqueued[op.Value] = op
		}
	}
}

// objectOf is the object whose item an operation is about.
func (b *queueBuilder) objectOf(op *Operation) string {
	if e := b.enqueued[op.Value]; op.Kind == Dequeue && op.Outcome == Ok && e != nil {
		return e.Object
	}
	return op.Object
}

func (b *queueBuilder) enqueue(op *Operation, fate Resolution) {
	c := b.numbers.call(op, op.Object, FunctionEnqueue)
	c.Value, c.Argument = b.numbers.t.Symbol(op.Value), Value(op.Number)
	if op.Outcome != Ok {
		switch fate.Fate {
		case FateNever:
			return
		case FateHappened:
			c.Invoke, c.Revision = int64(fate.Earliest), fate.Revision
			if fate.Latest != Never {
				c.Known, c.Return = Succeeded, int64(fate.Latest)
			}
		}
	}
	b.numbers.add(c)
}

func (b *queueBuilder) dequeue(op *Operation) {
	c := b.numbers.call(op, b.objectOf(op), FunctionDequeue)
	if op.Outcome == Ok {
		c.Value = b.numbers.t.Symbol(op.Value)
		b.numbers.add(c)
		return
	}
	if b.nothing[op.ID] {
		return
	}
	if life := b.taken[op.ID]; life != nil {
		c.Value, c.Known = b.numbers.t.Symbol(life.Values[0].Value), Succeeded
		c.Return = int64(b.Revisions.Latest(life.Delete))
		if c.Return == int64(Never) || c.Return < c.Invoke {
			c.Value, c.Known, c.Return = Nil, Unknown, NoReturn
		}
	}
	b.numbers.add(c)
}

// elsewhere adds a dequeue of unknown outcome to the objects of which it may
// have taken an item though it was not asked to: etcd's queue reads all keys
// that begin with its own name.
func (b *queueBuilder) elsewhere(op *Operation) {
	if op.Outcome == Ok {
		return
	}
	for _, object := range b.objects {
		if object != op.Object && strings.HasPrefix(object, op.Object) {
			b.numbers.add(b.numbers.call(op, object, FunctionDequeue))
		}
	}
}

// assign finds out what dequeues of unknown outcome took, object by object.
func (b *queueBuilder) assign() {
	b.taken, b.nothing = make(map[int64]*Life), make(map[int64]bool)
	returned := make(map[string]bool)
	unsure := make(map[string][]*Operation)
	for i := range b.Operations {
		op := &b.Operations[i]
		if op.Subject != b.subject || op.Kind != Dequeue || op.Outcome == Fail {
			continue
		}
		if op.Outcome == Ok {
			returned[op.Value] = true
			continue
		}
		unsure[op.Object] = append(unsure[op.Object], op)
	}
	whole := b.reachedBy(b.Revisions) && b.Revisions.Covers(b.Revisions.Start, b.Revisions.Through)
	for object, dequeues := range unsure {
		if slices.ContainsFunc(b.objects, func(o string) bool { return o != object && strings.HasPrefix(object, o) && len(unsure[o]) > 0 }) {
			continue // see elsewhere
		}
		lives := b.Revisions.Lives(b.Header.ObjectPrefix(b.subject, object) + "/")
		var gone []*Life
		for i := range lives {
			if l := &lives[i]; l.Delete != 0 && !returned[l.Values[0].Value] {
				gone = append(gone, l)
			}
		}
		b.match(dequeues, gone, whole)
	}
}

// match gives items that went to the only dequeue that can have taken them, as
// long as there is one.
func (b *queueBuilder) match(dequeues []*Operation, gone []*Life, whole bool) {
	for found := true; found; {
		found = false
		for k, life := range gone {
			if life == nil {
				continue
			}
			var only *Operation
			n := 0
			for _, op := range dequeues {
				if b.taken[op.ID] == nil && op.Call <= b.Revisions.Latest(life.Delete) {
					only = op
					n++
				}
			}
			if n == 1 {
				b.taken[only.ID], gone[k], found = life, nil, true
			}
		}
	}
	for _, op := range dequeues {
		may := b.taken[op.ID] != nil || !whole
		for _, life := range gone {
			may = may || life != nil && op.Call <= b.Revisions.Latest(life.Delete)
		}
		b.nothing[op.ID] = !may
	}
}

// numbering makes a trace of a run's operations.
type numbering struct {
	t                  *Trace
	processes, objects map[string]int32
}

func newNumbering() *numbering {
	return &numbering{t: &Trace{}, processes: make(map[string]int32), objects: make(map[string]int32)}
}

// call is the call of an operation as it was recorded, without values.
func (n *numbering) call(op *Operation, object string, f Function) Call {
	c := Call{
		ID: op.ID, Invoke: int64(op.Call), Return: NoReturn, Value: Nil, Function: f,
		Process: numbered(op.Client, n.processes, &n.t.Processes), Object: numbered(object, n.objects, &n.t.Objects),
	}
	if op.Outcome == Ok {
		c.Known, c.Return = Succeeded, int64(op.Return)
	}
	return c
}

func (n *numbering) add(c Call) { n.t.Calls = append(n.t.Calls, c) }

func (n *numbering) trace() *Trace {
	if len(n.t.Objects) == 0 {
		n.t.Objects = []string{""}
	}
	slices.SortStableFunc(n.t.Calls, func(a, b Call) int { return cmp.Compare(a.Invoke, b.Invoke) })
	return n.t
}

func numbered(name string, known map[string]int32, names *[]string) int32 {
	k, ok := known[name]
	if !ok {
		k = int32(len(*names))
		known[name], *names = k, append(*names, name)
	}
	return k
}
