package history

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Trace is a history as a sequential specification sees it: calls of a few
// functions on objects, each with the closed interval in which it ran. It is
// small, 64 bytes a call, so that histories of millions of calls can be judged
// in memory. A Trace comes from a History, a Jepsen history or a log; calls
// that certainly had no effect, and tell nothing about the state, are not in it.
type Trace struct {
	// Source names the file or directory that it was read from, for messages.
	Source string
	// Calls are in the order of their invocations.
	Calls []Call
	// Processes and Objects are the names of what Calls give numbers to. There
	// is always an object; a history of one unnamed object calls it "".
	Processes []string
	Objects   []string
	// Lines and Times, if not nil, give the line of the source and the time in
	// nanoseconds of each position: positions then count the events of the
	// source from 0. If Lines is nil, positions are nanoseconds of the run's clock.
	Lines []int32
	Times []int64

	symbols []string
	values  map[string]Value
}

// Call is one call of a process. An interval is closed: two calls of which one
// returns at the position at which the other is invoked are concurrent.
type Call struct {
	// ID is the operation's ID in the run, or the line of its invocation.
	ID int64
	// Invoke and Return bound the call. Return is NoReturn where Known is Unknown.
	Invoke, Return int64
	// Value is what was written, read, enqueued or dequeued: by an unknown call
	// what it would have written. Nil is none.
	Value Value
	// Argument is, for CompareAndSet, the value expected; for an Enqueue into a
	// priority queue, its priority (lower first); for Acquire and Release of a
	// semaphore, the number of permits (0 is 1).
	Argument Value
	// Revision is the store revision of the reply, or the fencing token of a
	// hold; 0 where there is none.
	Revision int64
	Process  int32
	Object   int32
	Function Function
	Known    Known
	// Shared is true for readers of a read-write lock.
	Shared bool
}

// NoReturn is the Return of a call of which nobody knows whether it had or
// will have an effect: that may be at any position from its Invoke on.
const NoReturn = math.MaxInt64

// Known is what is known of a call's end.
type Known uint8

// What can be known.
const (
	// Unknown: the call may have taken effect at any time since its
	// invocation, or never.
	Unknown Known = iota
	// Succeeded: the call took effect between Invoke and Return.
	Succeeded
	// Refused: the call had no effect because the state at some position
	// between Invoke and Return did not allow it: a lock that was taken, a
	// comparison that failed, a queue that was empty.
	Refused
)

// Function is what a call asked for.
type Function uint8

// The functions.
const (
	FunctionNone Function = iota
	FunctionAcquire
	// FunctionTryAcquire is an acquire that does not wait.
	FunctionTryAcquire
	FunctionRelease
	FunctionRead
	FunctionWrite
	// FunctionCompareAndSet writes Value if the register holds Argument.
	FunctionCompareAndSet
	FunctionEnqueue
	FunctionDequeue
	// FunctionHold and FunctionLower raise and lower a barrier, which
	// FunctionWait passes while it is down.
	FunctionHold
	FunctionLower
	FunctionWait
	// FunctionEnter and FunctionLeave are of a double barrier.
	FunctionEnter
	FunctionLeave
)

var functionNames = [...]string{
	"none", "acquire", "try-acquire", "release", "read", "write", "cas", "enqueue", "dequeue",
	"hold", "lower", "wait", "enter", "leave",
}

// String returns the function's name, as formats and sentences write it.
func (f Function) String() string {
	if int(f) < len(functionNames) {
		return functionNames[f]
	}
	return fmt.Sprintf("function(%d)", uint8(f))
}

// Value is a value of a call: an integer is itself, anything else a symbol of
// its trace. So integers compare as numbers.
type Value int64

// Nil is the value that is none.
const Nil Value = math.MinInt64

// symbolLimit separates integers from symbols.
const symbolLimit Value = -1 << 62

// Symbol returns the value that stands for a text. Equal texts are one value,
// and the text of an integer is that integer.
func (t *Trace) Symbol(text string) Value {
	if text != "" && (text[0] == '-' || '0' <= text[0] && text[0] <= '9') { // an error of ParseInt costs more than all else
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && Value(n) >= symbolLimit && strconv.FormatInt(n, 10) == text {
			return Value(n)
		}
	}
	if v, ok := t.values[text]; ok {
		return v
	}
	if t.values == nil {
		t.values = make(map[string]Value)
	}
	t.symbols = append(t.symbols, text)
	v := Nil + Value(len(t.symbols))
	t.values[text] = v
	return v
}

// Text returns the text of a value; that of Nil is "nil".
func (t *Trace) Text(v Value) string {
	switch {
	case v == Nil:
		return "nil"
	case v < symbolLimit:
		return t.symbols[v-Nil-1]
	}
	return strconv.FormatInt(int64(v), 10)
}

// At writes a position for people: a time of the run, or a line of the source.
func (t *Trace) At(position int64) string {
	seconds := func(ns int64) string { return fmt.Sprintf("%.3f s", time.Duration(ns).Seconds()) }
	switch {
	case position == NoReturn:
		return "the end"
	case t.Lines == nil:
		return seconds(position)
	case position < 0 || position >= int64(len(t.Lines)):
		return fmt.Sprintf("event %d", position)
	case t.Times == nil:
		return fmt.Sprintf("line %d", t.Lines[position])
	}
	return fmt.Sprintf("line %d (%s)", t.Lines[position], seconds(t.Times[position]))
}

// Span writes the time between two positions for people, or "" if it is not
// known.
func (t *Trace) Span(from, to int64) string {
	if t.Lines != nil {
		if t.Times == nil || from < 0 || to >= int64(len(t.Times)) {
			return ""
		}
		from, to = t.Times[from], t.Times[to]
	} else if to == NoReturn {
		return ""
	}
	d := time.Duration(to - from)
	if d >= time.Millisecond {
		d = d.Round(time.Millisecond)
	}
	return d.String()
}

// ByObject calls f with the calls of each object, in the order of their
// invocations. The slices are valid during the call only.
func (t *Trace) ByObject(f func(object int32, calls []Call)) {
	if len(t.Objects) <= 1 {
		f(0, t.Calls)
		return
	}
	counts := make([]int, len(t.Objects)+1)
	for i := range t.Calls {
		counts[t.Calls[i].Object+1]++
	}
	for i := 1; i < len(counts); i++ {
		counts[i] += counts[i-1]
	}
	next := append([]int(nil), counts...)
	sorted := make([]Call, len(t.Calls))
	for i := range t.Calls {
		o := t.Calls[i].Object
		sorted[next[o]] = t.Calls[i]
		next[o]++
	}
	for o := range t.Objects {
		f(int32(o), sorted[counts[o]:counts[o+1]])
	}
}
