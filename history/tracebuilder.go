package history

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// NoTime is the time of an event whose source does not tell it.
const NoTime = math.MinInt64

// TraceBuilder makes a Trace from the events of a source, in their order. Each
// Invoke, Complete and Drop is an event and takes the next position. It needs
// the 64 bytes of a call, and for each event 4 bytes for its line and 8 for its
// time. Use NewTraceBuilder.
type TraceBuilder struct {
	trace     *Trace
	open      []int32 // process → index of its open call + 1
	small     []int32 // number that is a process's name → process + 1
	processes map[string]int32
	objects   map[string]int32
	timed     bool
	unsorted  bool
}

// NewTraceBuilder returns a builder of a trace of the named source.
func NewTraceBuilder(source string) *TraceBuilder {
	return &TraceBuilder{trace: &Trace{Source: source, Lines: []int32{}}, timed: true}
}

// Expect makes room for a number of calls in all, if that is known beforehand.
// It is a hint: more may come.
func (b *TraceBuilder) Expect(calls int) {
	t := b.trace
	t.Calls = slices.Grow(t.Calls, max(calls-len(t.Calls), 0))
	t.Lines = slices.Grow(t.Lines, max(2*calls-len(t.Lines), 0))
	if b.timed {
		t.Times = slices.Grow(t.Times, max(2*calls-len(t.Times), 0))
	}
}

// Len is the number of calls so far.
func (b *TraceBuilder) Len() int { return len(b.trace.Calls) }

// Process returns the number of the named process. Equal names are one process.
func (b *TraceBuilder) Process(name string) int32 {
	if n, err := strconv.ParseInt(name, 10, 64); err == nil && strconv.FormatInt(n, 10) == name {
		return b.ProcessNumber(n)
	}
	return b.namedProcess(name)
}

// ProcessNumber returns the number of the process whose name is an integer.
func (b *TraceBuilder) ProcessNumber(n int64) int32 {
	if n >= 0 && n < int64(len(b.small)) && b.small[n] != 0 {
		return b.small[n] - 1
	}
	// Mostly the numbers are dense, and then a table is all that it takes.
	if n < 0 || n >= int64(2*len(b.trace.Processes)+1024) {
		return b.namedProcess(strconv.FormatInt(n, 10))
	}
	for int64(len(b.small)) <= n {
		b.small = append(b.small, 0)
	}
	name := strconv.FormatInt(n, 10)
	p, ok := b.processes[name] // from when the table was too short
	if !ok {
		p = b.newProcess(name)
	}
	b.small[n] = p + 1
	return p
}

func (b *TraceBuilder) namedProcess(name string) int32 {
	if p, ok := b.processes[name]; ok {
		return p
	}
	if b.processes == nil {
		b.processes = make(map[string]int32)
	}
	p := b.newProcess(name)
	b.processes[name] = p
	return p
}

func (b *TraceBuilder) newProcess(name string) int32 {
	b.trace.Processes = append(b.trace.Processes, name)
	b.open = append(b.open, 0)
	return int32(len(b.trace.Processes) - 1)
}

// Object returns the number of the named object. Equal names are one object.
func (b *TraceBuilder) Object(name []byte) int32 {
	if o, ok := b.objects[string(name)]; ok {
		return o
	}
	if b.objects == nil {
		b.objects = make(map[string]int32)
	}
	o := int32(len(b.trace.Objects))
	b.trace.Objects = append(b.trace.Objects, string(name))
	b.objects[string(name)] = o
	return o
}

// Symbol returns the value that stands for a text, as Trace.Symbol does.
func (b *TraceBuilder) Symbol(text []byte) Value {
	if v, ok := b.trace.values[string(text)]; ok {
		return v
	}
	return b.trace.Symbol(string(text))
}

// Invoke begins the call c, of which Process, Object, Function, Value,
// Argument, Revision and Shared are given. Its ID is line. It is an error if
// the process has an open call. Time is in nanoseconds or NoTime.
func (b *TraceBuilder) Invoke(c Call, line int, time int64) error {
	t := b.trace
	if k := b.open[c.Process]; k != 0 {
		before := &t.Calls[k-1]
		return fmt.Errorf("process %s calls %s while its %s of line %d has not returned", t.Processes[c.Process], c.Function, before.Function, before.ID)
	}
	c.ID, c.Invoke, c.Return, c.Known = int64(line), b.event(line, time), NoReturn, Unknown
	t.Calls = append(t.Calls, c)
	b.open[c.Process] = int32(len(t.Calls))
	return nil
}

// Complete ends the open call of a process and returns it, for what its reply
// tells: it is valid until the next call of a method. A call that is Unknown has no
// Return; its process may go on. It is an error if there is no open call, or
// if that is of another function.
func (b *TraceBuilder) Complete(process int32, function Function, known Known, line int, time int64) (*Call, error) {
	t := b.trace
	k := b.open[process]
	if k == 0 {
		return nil, fmt.Errorf("process %s returns from %s and had not called it", t.Processes[process], function)
	}
	c := &t.Calls[k-1]
	if c.Function != function {
		return nil, fmt.Errorf("process %s returns from %s, and what it called, in line %d, is %s", t.Processes[process], function, c.ID, c.Function)
	}
	b.open[process] = 0
	at := b.event(line, time)
	c.Known = known
	if known != Unknown {
		c.Return = at
	}
	return c, nil
}

// Drop ends the open call of a process, which certainly had no effect and
// tells nothing about the state: it will not be in the trace. Errors are those
// of Complete.
func (b *TraceBuilder) Drop(process int32, function Function, line int, time int64) error {
	c, err := b.Complete(process, function, Unknown, line, time)
	if err == nil {
		c.Function = FunctionNone
	}
	return err
}

// Opened returns the open call of a process, or nil. It is valid until the next
// call of a method.
func (b *TraceBuilder) Opened(process int32) *Call {
	if k := b.open[process]; k != 0 {
		return &b.trace.Calls[k-1]
	}
	return nil
}

// Also adds a whole call, positions included: one of several that the source
// tells as one.
func (b *TraceBuilder) Also(c Call) {
	b.trace.Calls = append(b.trace.Calls, c)
	b.unsorted = true
}

// event takes the next position.
func (b *TraceBuilder) event(line int, time int64) int64 {
	t := b.trace
	t.Lines = append(t.Lines, int32(min(line, math.MaxInt32)))
	if b.timed {
		if time == NoTime { // some times are of no use
			b.timed, t.Times = false, nil
		} else {
			t.Times = append(t.Times, time)
		}
	}
	return int64(len(t.Lines) - 1)
}

// Trace ends the building and returns the trace. Calls that have not returned
// are Unknown. The builder must not be used any more.
func (b *TraceBuilder) Trace() *Trace {
	t := b.trace
	t.Calls = slices.DeleteFunc(t.Calls, func(c Call) bool { return c.Function == FunctionNone })
	if b.unsorted {
		slices.SortStableFunc(t.Calls, func(x, y Call) int { return cmp.Compare(x.Invoke, y.Invoke) })
	}
	if len(t.Objects) == 0 {
		t.Objects = []string{""}
	}
	return t
}
