package history

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
)

// WriteEDN writes a trace of the named model, one of Models, as a Jepsen
// history: a map a line, events in the order of their positions, invocations
// before completions where both have one. ReadEDN makes the same trace of it,
// but for names and for positions, which it counts.
//
// Processes are numbers: their names if those are numbers, else in the order of
// their first calls. A process that makes several calls at once, as one
// does whose drain was read, gets a number of its own for each further one.
// Where one call of a process ends at the position at which its next begins,
// the end comes first.
//
// If the trace has more objects than one unnamed one, or values that could be
// mistaken for it, values are [key value]. A text that is no form is written as
// a string.
//
// Calls of unknown outcome complete as :info, at the end or before the next
// call of their process. A call that was refused is a :fail with :refused
// true, which other programs take for a call without effect; a dequeue that
// was refused is one that returned nil. Beside what Jepsen writes there are
// :revision and :priority where calls have them.
func WriteEDN(w io.Writer, t *Trace, modelName string) error {
	m, err := modelOf(modelName)
	if err != nil {
		return err
	}
	e := &ednWriter{
		Writer: bufio.NewWriterSize(w, bufferFor(int64(len(t.Calls))*200)), trace: t, model: m,
		keyed:   len(t.Objects) > 1 || len(t.Objects) == 1 && t.Objects[0] != "" || pairs(t),
		open:    make([]int32, len(t.Processes)),
		numbers: make([]int64, len(t.Calls)),
	}
	e.names, e.next = numbersOf(t)
	for i := range t.Calls {
		if _, ok := m.wordFor(t.Calls[i].Function, t.Calls[i].Shared); !ok {
			return fmt.Errorf("write EDN: the model %s has no %s", modelName, t.Calls[i].Function)
		}
	}
	e.events()
	if err := e.Flush(); err != nil {
		return fmt.Errorf("write EDN: %w", err)
	}
	return nil
}

// numbersOf returns the number of each process, and the first one that is free.
func numbersOf(t *Trace) (numbers []int64, free int64) {
	numbers = make([]int64, len(t.Processes))
	taken := make(map[int64]bool, len(t.Processes))
	for p, name := range t.Processes {
		n, err := strconv.ParseInt(name, 10, 32)
		if err != nil || n < 0 || taken[n] {
			return numbersByCall(t)
		}
		taken[n] = true
		numbers[p], free = n, max(free, n+1)
	}
	return numbers, free
}

func numbersByCall(t *Trace) (numbers []int64, free int64) {
	numbers = make([]int64, len(t.Processes))
	for p := range numbers {
		numbers[p] = -1
	}
	for i := range t.Calls {
		if p := t.Calls[i].Process; numbers[p] < 0 {
			numbers[p] = free
			free++
		}
	}
	return numbers, free
}

// pairs is true if values may look as if they had keys.
func pairs(t *Trace) bool {
	return slices.ContainsFunc(t.symbols, func(text string) bool { return text != "" && text[0] == '[' })
}

type ednWriter struct {
	*bufio.Writer
	trace   *Trace
	model   *model
	keyed   bool
	open    []int32 // process → index of its open call + 1
	names   []int64 // process → its number in the file
	numbers []int64 // call → number of its process in the file, -1 if it is done
	next    int64   // number for the next process that has none
	index   int64
	last    int64 // the last position that was written
	line    []byte
}

// events writes the invocations and completions, position by position.
func (e *ednWriter) events() {
	calls := e.trace.Calls
	returns := make([]int32, 0, len(calls))
	for i := range calls {
		if calls[i].Known != Unknown {
			returns = append(returns, int32(i))
		}
	}
	slices.SortStableFunc(returns, func(a, b int32) int { return cmp.Compare(calls[a].Return, calls[b].Return) })
	var later []int32
	for i := 0; i < len(calls) || len(returns) > 0; {
		at := int64(math.MaxInt64)
		if i < len(calls) {
			at = calls[i].Invoke
		}
		if len(returns) > 0 {
			at = min(at, calls[returns[0]].Return)
		}
		// First those whose process is free, then those whose process is not,
		// each behind the completion that frees it, then the completions left.
		later = later[:0]
		for ; i < len(calls) && calls[i].Invoke == at; i++ {
			if open := e.open[calls[i].Process]; open == 0 || calls[open-1].Known == Unknown {
				e.invoke(int32(i))
			} else {
				later = append(later, int32(i))
			}
		}
		for _, k := range later {
			if open := e.open[calls[k].Process]; open != 0 && calls[open-1].Known != Unknown && calls[open-1].Return == at {
				e.complete(open-1, at)
			}
			e.invoke(k)
		}
		for ; len(returns) > 0 && calls[returns[0]].Return <= at; returns = returns[1:] {
			if e.numbers[returns[0]] >= 0 {
				e.complete(returns[0], at)
			}
		}
	}
	for k := range calls {
		if calls[k].Known == Unknown && e.numbers[k] >= 0 {
			e.complete(int32(k), NoReturn)
		}
	}
}

// invoke writes the invocation of a call.
func (e *ednWriter) invoke(k int32) {
	c := &e.trace.Calls[k]
	open := e.open[c.Process]
	switch {
	case open != 0 && e.trace.Calls[open-1].Known == Unknown:
		e.complete(open-1, c.Invoke)
		fallthrough
	case open == 0:
		e.open[c.Process] = k + 1
		e.numbers[k] = e.names[c.Process]
	default:
		e.numbers[k] = e.next
		e.next++
	}
	e.event(c, ":invoke", e.numbers[k], c.Invoke, false)
}

// complete writes the completion of a call.
func (e *ednWriter) complete(k int32, at int64) {
	c := &e.trace.Calls[k]
	kind := ":ok"
	switch {
	case c.Known == Unknown:
		kind = ":info"
	case c.Known == Refused && c.Function != FunctionDequeue:
		kind = ":fail"
	}
	e.event(c, kind, e.numbers[k], at, true)
	e.numbers[k] = -1 // it is done
	if e.open[c.Process] == k+1 {
		e.open[c.Process] = 0
	}
}

// event writes one line.
func (e *ednWriter) event(c *Call, kind string, process, at int64, completes bool) {
	word, _ := e.model.wordFor(c.Function, c.Shared)
	b := append(e.line[:0], "{:type "...)
	b = append(append(append(b, kind...), ", :f :"...), word...)
	b = append(b, ", :value "...)
	if e.keyed {
		b = append(b, '[')
		b = append(appendForm(b, e.trace.Objects[c.Object]), ' ')
	}
	b = e.value(b, c, completes && c.Known == Succeeded)
	if e.keyed {
		b = append(b, ']')
	}
	b = strconv.AppendInt(append(b, ", :process "...), process, 10)
	if name := e.trace.Processes[c.Process]; name != strconv.FormatInt(process, 10) {
		b = appendQuoted(append(b, ", :client "...), name)
	}
	if time, ok := e.time(at); ok {
		b = strconv.AppendInt(append(b, ", :time "...), time, 10)
	}
	b = strconv.AppendInt(append(b, ", :index "...), e.index, 10)
	e.index++
	if c.Function == FunctionEnqueue && e.model.prioritized {
		b = strconv.AppendInt(append(b, ", :priority "...), int64(c.Argument), 10)
	}
	if c.Revision != 0 && completes {
		b = strconv.AppendInt(append(b, ", :revision "...), c.Revision, 10)
	}
	if kind == ":fail" {
		b = append(b, ", :refused true"...)
	}
	e.line = append(b, '}', '\n')
	_, _ = e.Write(e.line) // Flush tells
}

// value appends the value of a call, as its caller or as its reply has it.
func (e *ednWriter) value(b []byte, c *Call, replied bool) []byte {
	switch c.Function {
	case FunctionRead, FunctionDequeue:
		if !replied {
			return append(b, "nil"...)
		}
	case FunctionCompareAndSet:
		b = append(e.form(append(b, '['), c.Argument), ' ')
		return append(e.form(b, c.Value), ']')
	case FunctionAcquire, FunctionTryAcquire, FunctionRelease:
		switch {
		case e.model.permits && c.Argument > 0:
			return strconv.AppendInt(b, int64(c.Argument), 10)
		case e.model.fenced && c.Revision != 0 && replied && c.Function != FunctionRelease:
			return strconv.AppendInt(b, c.Revision, 10)
		}
		return append(b, "nil"...)
	}
	return e.form(b, c.Value)
}

func (e *ednWriter) form(b []byte, v Value) []byte {
	if v >= symbolLimit {
		return strconv.AppendInt(b, int64(v), 10)
	}
	if v == Nil {
		return append(b, "nil"...)
	}
	return appendForm(b, e.trace.Text(v))
}

// time is that of a position in nanoseconds; the end is that of the last one.
func (e *ednWriter) time(at int64) (int64, bool) {
	if at == NoReturn {
		at = e.last
	}
	e.last = at
	t := e.trace
	switch {
	case t.Lines == nil:
		return at, true
	case at < 0 || at >= int64(len(t.Times)):
		return 0, false
	}
	return t.Times[at], true
}

// appendForm appends a text as the form whose canonical text it is, or, if it
// is none, as a string.
func appendForm(b []byte, text string) []byte {
	if isForm(text) {
		return append(b, text...)
	}
	return appendQuoted(b, text)
}

// appendQuoted appends a text as a string.
func appendQuoted(b []byte, text string) []byte {
	b = append(b, '"')
	from := 0
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' {
			b = appendEscaped(append(b, text[from:i]...), rune(c))
			from = i + 1
		}
	}
	return append(append(b, text[from:]...), '"')
}

// isForm is true if a text is one form, and the canonical text of it.
func isForm(text string) bool {
	if text == "" || text == "nil" {
		return false
	}
	s := scanner{buf: []byte(text), end: len(text), ended: true, line: 1}
	k, err := s.form(0)
	return err == nil && s.pos == s.end && string(s.forms.canonical(nil, k)) == text
}
