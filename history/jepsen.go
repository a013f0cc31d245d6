package history

import (
	"bytes"
	"fmt"
	"io"
)

// jepsenOp is one line of a Jepsen history, in whatever format.
type jepsenOp struct {
	kind    opKind
	process int64
	word    int // of the model's words, or -1
	name    []byte
	// value and key are forms of the scanner, or -1 where there is none.
	value, key int
	// priority, revision and refused are what WriteEDN adds.
	priority, revision   int64
	prioritized, refused bool
	time                 int64
	line                 int // of its beginning
	at, atF, atValue     place
}

// opKind is a Jepsen :type.
type opKind uint8

const (
	opNone opKind = iota
	opInvoke
	opOk
	opFail
	opInfo
)

func opKindOf(name []byte) opKind {
	switch string(name) {
	case "invoke":
		return opInvoke
	case "ok":
		return opOk
	case "fail":
		return opFail
	case "info":
		return opInfo
	}
	return opNone
}

const opKinds = ":invoke, :ok, :fail or :info"

// keying says whether the values of a history are [key value], as those of
// jepsen.independent are once they are written down.
type keying uint8

const (
	keyingUnknown keying = iota
	// keyingLikely: every value so far was a pair. A write of a pair can be
	// either, so what was taken for keys can turn out to be values.
	keyingLikely
	keyingCertain
	keyingNone
)

// jepsenReader makes a trace of Jepsen operations.
type jepsenReader struct {
	*scanner
	model   *model
	builder *TraceBuilder
	keying  keying
	// echoes is true if a comparison that failed is told apart from other
	// failures: by its arguments.
	echoes   bool
	size     int64
	expected bool
	draining map[int32]bool
	shared   []bool // process → its last acquire was a reader's
	name     []byte
}

func newJepsenReader(source, modelName string, r io.Reader, size int64) (*jepsenReader, error) {
	m, err := modelOf(modelName)
	if err != nil {
		return nil, err
	}
	return &jepsenReader{
		scanner: newScanner(source, r, size), model: m, builder: NewTraceBuilder(source), size: size,
		draining: make(map[int32]bool),
	}, nil
}

// expect makes room for all calls once it is known how long they are: read is
// how much of the source the calls so far took.
func (r *jepsenReader) expect(read int64) {
	const enough = 1 << 20
	if r.expected || read < enough {
		return
	}
	r.expected = true
	if calls := int64(r.builder.Len()); r.size > read && calls > 0 {
		r.builder.Expect(int(min(r.size*calls/read*33/32, 1<<28)))
	}
}

// operation takes an operation of a client into the trace.
func (r *jepsenReader) operation(op *jepsenOp) error {
	if op.kind == opNone {
		return r.fault(op.at, "an operation with :type", "one without")
	}
	if op.word < 0 {
		if op.name == nil {
			return r.fault(op.at, "an operation with :f", "one without")
		}
		return r.fault(op.atF, r.model.known(), excerpt(op.name))
	}
	process := r.builder.ProcessNumber(op.process)
	if op.kind == opInvoke {
		return r.invoke(op, process)
	}
	return r.complete(op, process)
}

func (r *jepsenReader) problem(op *jepsenOp, err error) error {
	return &SyntaxError{Source: r.source, Line: op.at.line, Column: op.at.column, Problem: err}
}

func (r *jepsenReader) invoke(op *jepsenOp, process int32) error {
	w := &r.model.words[op.word]
	value, object, err := r.unkey(op, w)
	if err != nil {
		return err
	}
	c := Call{Process: process, Object: object, Function: w.function, Value: Nil}
	switch w.function {
	case FunctionWrite, FunctionEnqueue, FunctionHold, FunctionLower, FunctionWait, FunctionEnter, FunctionLeave:
		if value < 0 && (w.function == FunctionWrite || w.function == FunctionEnqueue) {
			return r.fault(op.at, "a :value of :"+w.name, "none")
		}
		c.Value = r.value(value)
	case FunctionCompareAndSet:
		old, replacement, ok := r.forms.pair(value)
		if !ok {
			return r.fault(op.atValue, "[old new] as the :value of :"+w.name, r.found(value))
		}
		c.Argument, c.Value = r.value(old), r.value(replacement)
	case FunctionAcquire, FunctionTryAcquire, FunctionRelease:
		if err := r.lock(op, w, value, &c); err != nil {
			return err
		}
	}
	if w.function == FunctionEnqueue && r.model.prioritized {
		switch {
		case op.prioritized:
			c.Argument = Value(op.priority)
		case c.Value >= symbolLimit:
			c.Argument = c.Value
		default:
			return r.fault(op.atValue, "an integer, or a :priority beside the :value", r.found(value))
		}
	}
	if err := r.builder.Invoke(c, op.line, op.time); err != nil {
		return r.problem(op, err)
	}
	if w.drain {
		r.draining[process] = true
	}
	return nil
}

// mostPermits keeps the sums of what many processes hold within an int64.
const mostPermits = 1<<31 - 1

// lock reads what the value of an acquire or release says.
func (r *jepsenReader) lock(op *jepsenOp, w *word, value int, c *Call) error {
	if r.model.permits && value >= 0 && r.forms.nodes[value].kind != nilNode {
		n := &r.forms.nodes[value]
		if n.kind != integerNode || n.integer < 1 || n.integer > mostPermits {
			return r.fault(op.atValue, fmt.Sprintf("a number of permits from 1 to %d, or nil", mostPermits), r.found(value))
		}
		c.Argument = Value(n.integer)
	}
	if r.model.name != "rwmutex" {
		return nil
	}
	for int(c.Process) >= len(r.shared) {
		r.shared = append(r.shared, false)
	}
	said := w.mode
	if said == modeUnsaid && value >= 0 && r.forms.nodes[value].kind == textNode {
		switch string(bytes.Trim(r.forms.textOf(value), `:"`)) {
		case "read", "shared":
			said = modeShared
		case "write", "exclusive":
			said = modeExclusive
		default:
			return r.fault(op.atValue, ":read or :write as the :value of :"+w.name, r.found(value))
		}
	}
	switch {
	case said != modeUnsaid:
		c.Shared = said == modeShared
	case w.function == FunctionRelease:
		c.Shared = r.shared[c.Process]
	}
	if w.function != FunctionRelease {
		r.shared[c.Process] = c.Shared
	}
	return nil
}

func (r *jepsenReader) complete(op *jepsenOp, process int32) error {
	w := &r.model.words[op.word]
	refused := op.refused
	if op.kind == opFail && r.echoes && w.function == FunctionCompareAndSet {
		refused = r.echoed(op, process)
	}
	if (w.drain || len(r.draining) > 0) && r.draining[process] != w.drain && r.builder.Opened(process) != nil {
		return r.problem(op, fmt.Errorf("process %d returns from :%s and had not called it", op.process, w.name))
	}
	if w.drain {
		return r.drained(op, process)
	}
	if op.kind == opFail && !refused {
		return r.wrap(op, r.builder.Drop(process, w.function, op.line, op.time))
	}
	known, value := Unknown, -1
	switch op.kind {
	case opFail:
		known = Refused
	case opOk:
		var err error
		known = Succeeded
		if value, err = r.reply(op, w, process); err != nil {
			return err
		}
	}
	c, err := r.builder.Complete(process, w.function, known, op.line, op.time)
	if err != nil {
		return r.problem(op, err)
	}
	if op.revision != 0 {
		c.Revision = op.revision
	}
	if known != Succeeded {
		return nil
	}
	switch w.function {
	case FunctionRead:
		c.Value = r.value(value)
	case FunctionDequeue:
		if c.Value = r.value(value); c.Value == Nil {
			c.Known = Refused
		}
	case FunctionAcquire, FunctionTryAcquire:
		if r.model.fenced && value >= 0 && r.forms.nodes[value].kind == integerNode && op.revision == 0 {
			c.Revision = r.forms.nodes[value].integer
		}
	}
	return nil
}

func (r *jepsenReader) wrap(op *jepsenOp, err error) error {
	if err != nil {
		return r.problem(op, err)
	}
	return nil
}

// reply returns the value of an :ok without its key.
func (r *jepsenReader) reply(op *jepsenOp, w *word, process int32) (int, error) {
	value := op.value
	if key, rest, tuple := r.tuple(op); tuple {
		open := r.builder.Opened(process)
		if open != nil && r.builder.Object(r.text(key)) != open.Object {
			return 0, r.problem(op, fmt.Errorf("process %d called :%s on %s and returns from it on %s",
				op.process, w.name, r.builder.trace.Objects[open.Object], r.text(key)))
		}
		value = rest
	} else if tells := w.function == FunctionRead || w.function == FunctionDequeue; tells && op.key < 0 && r.keying == keyingCertain {
		return 0, r.fault(op.atValue, "[key value], as in the operations before", r.found(op.value))
	}
	if value < 0 && (w.function == FunctionRead || w.function == FunctionDequeue) {
		return 0, r.fault(op.at, "a :value of :"+w.name, "none")
	}
	return value, nil
}

// echoed is true if a :fail repeats the arguments of the comparison.
func (r *jepsenReader) echoed(op *jepsenOp, process int32) bool {
	value := op.value
	if _, rest, tuple := r.tuple(op); tuple {
		value = rest
	}
	open := r.builder.Opened(process)
	old, replacement, ok := r.forms.pair(value)
	return ok && open != nil && r.value(old) == open.Argument && r.value(replacement) == open.Value
}

// drained ends a drain: each value that it brought is a call of its own, at
// the same interval.
func (r *jepsenReader) drained(op *jepsenOp, process int32) error {
	delete(r.draining, process)
	if op.kind == opInfo {
		return r.problem(op, fmt.Errorf("a drain of unknown outcome may have dequeued any number of values, which no trace can tell"))
	}
	if op.kind == opFail {
		return r.wrap(op, r.builder.Drop(process, FunctionDequeue, op.line, op.time))
	}
	value, err := r.reply(op, &r.model.words[op.word], process)
	if err != nil {
		return err
	}
	n := node{kind: sequenceNode}
	if value >= 0 && r.forms.nodes[value].kind != nilNode {
		n = r.forms.nodes[value]
	}
	if n.kind != sequenceNode && n.kind != setNode {
		return r.fault(op.atValue, "[values] as the :value of :drain", r.found(value))
	}
	if n.count == 0 {
		return r.wrap(op, r.builder.Drop(process, FunctionDequeue, op.line, op.time))
	}
	c, err := r.builder.Complete(process, FunctionDequeue, Succeeded, op.line, op.time)
	if err != nil {
		return r.problem(op, err)
	}
	c.Value = r.value(value + 1)
	more := *c
	for i, child := 1, r.forms.nodes[value+1].next; i < n.count; i, child = i+1, r.forms.nodes[child].next {
		more.Value = r.value(child)
		r.builder.Also(more)
	}
	return nil
}

// finish returns the trace.
func (r *jepsenReader) finish() (*Trace, error) {
	for process, open := range r.draining {
		if c := r.builder.Opened(process); open && c != nil {
			return nil, &SyntaxError{Source: r.source, Line: int(c.ID), Problem: fmt.Errorf("the drain that begins here never returns: it may have dequeued any number of values, which no trace can tell")}
		}
	}
	return r.builder.Trace(), nil
}

// value returns the value of a form; none is Nil.
func (r *jepsenReader) value(k int) Value {
	if k < 0 {
		return Nil
	}
	switch n := &r.forms.nodes[k]; {
	case n.kind == nilNode:
		return Nil
	case n.kind == integerNode && Value(n.integer) >= symbolLimit:
		return Value(n.integer)
	}
	return r.builder.Symbol(r.text(k))
}

// text returns the canonical text of a form, until it is called again.
func (r *jepsenReader) text(k int) []byte {
	r.name = r.forms.canonical(r.name[:0], k)
	return r.name
}

// found says what a form is, for messages.
func (r *jepsenReader) found(k int) string {
	if k < 0 {
		return "none"
	}
	return excerpt(r.text(k))
}
