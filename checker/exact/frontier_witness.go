package exact

import (
	"fmt"
	"slices"
	"strings"

	"github.com/etcd-holdfast/holdfast/history"
)

// windowSteps bounds the search of one window, shrinkSteps all that the search
// for a small witness may try.
const (
	windowSteps = 1 << 20
	shrinkSteps = 1 << 23
)

// part is some of a history's calls, which are illegal by themselves and
// because of which the history is.
type part struct {
	calls []history.Call
	// origin are the calls' indexes in the whole history.
	origin []int32
	from   start
	// died is the search that died; calls[last] the call at whose return.
	died *search
	last int32
}

// cut returns the calls of the window of a number of events that ends with an
// event. Calls that return later, or were invoked before the window began, are
// made unknown: they may take effect in it, or not. Those that only observe are
// left out. Of an object with memory there is but the window of all events, and
// calls that return later stay as they are, because what they were told counts.
func (d *driver) cut(event, size int) part {
	begin, from := event+1-size, fromAnywhere
	if begin <= 0 || d.p.effects == nil {
		begin, from = 0, fromInitial
	}
	w := part{from: from}
	type span struct{ invoked, returned bool } // in the window
	spans := make([]span, len(d.calls))
	over := make([]bool, len(d.calls)) // before the window
	made := 0
	for i, e := range d.p.events[:event+1] {
		switch {
		case e >= 0:
			spans[e].invoked = i >= begin
			made++
		case i < begin:
			over[^e] = true
		default:
			spans[^e].returned = true
		}
	}
	for i := range d.calls[:made] {
		c := d.calls[i]
		switch {
		case over[i]:
			continue
		case spans[i].invoked && spans[i].returned:
		case d.p.observes[i]:
			continue
		case d.p.effects != nil:
			c.Known, c.Return = history.Unknown, history.NoReturn
		}
		w.calls, w.origin = append(w.calls, c), append(w.origin, int32(i))
	}
	return w
}

// window searches the events of a window before an event; it returns nil unless
// no configuration survives.
func (d *driver) window(event, size int, steps int64) *part {
	if d.p.effects == nil && size <= event {
		return nil // it has memory: nothing less than all of it proves anything
	}
	w := d.cut(event, size)
	if !d.dies(&w, steps) || w.origin[w.last] != ^d.p.events[event] {
		return nil
	}
	return &w
}

// dies searches a part completely, and says whether none survives.
func (d *driver) dies(w *part, steps int64) bool {
	s := newSearch(d.ctx, d.prepare(w.calls, w.from))
	defer func() { d.steps += s.steps + int64(len(w.calls)) }()
	s.maxBytes, s.maxSteps, s.eager = d.limits.Bytes, steps, true
	if d.limits.Steps > 0 {
		s.maxSteps = min(steps, max(1, d.limits.Steps-d.steps))
	}
	for {
		switch s.next() {
		case died:
			w.died, w.last = s, ^s.p.events[s.event]
			return true
		case survived, limited:
			return false
		}
	}
}

// shortest returns a window before an event that is about as short as can be, or
// nil: the shorter, the fewer calls it takes.
func (d *driver) shortest(event int) *part {
	fails, size := 0, 4
	found := d.window(event, size, windowSteps)
	for ; found == nil && size <= event; found = d.window(event, size, windowSteps) {
		fails, size = size, 4*size
	}
	for size = min(size, event+1); found != nil && d.p.effects != nil && size-fails > max(1, size/32); {
		middle := fails + (size-fails)/2
		if shorter := d.window(event, middle, windowSteps); shorter != nil {
			found, size = shorter, middle
		} else {
			fails = middle
		}
	}
	return found
}

// violated makes the violation at an event, which is proved; exact says that it
// is not proved earlier.
func (d *driver) violated(event int, exact bool) Result {
	last := d.calls[^d.p.events[event]]
	// The proof is over: what is left makes it small, within its own bounds.
	d.limits.Steps = 0
	found := d.alone(event)
	if found == nil {
		found = d.shortest(event)
	}
	v := &Violation{At: last.Return}
	if found == nil {
		// It is proved, but not by a search that is small.
		v.Witness = d.cut(event, event+1).calls
	} else {
		v.Witness = d.restore(d.shrink(found), event)
	}
	v.tell = func(t *history.Trace) string {
		var states []string
		if found != nil {
			// Of what proved it: the witness leaves states out that were possible.
			states = found.states(t)
		}
		text := fmt.Sprintf("%s %s between %s and %s, which no order of the calls before allows",
			t.Called(last.Process), claim(t, &last), t.At(last.Invoke), t.At(last.Return))
		if len(states) > 0 {
			text += ": " + object(t, last.Object) + " " + strings.Join(states, " or ")
		}
		if !exact {
			text += "; it is at the latest by then that the history is illegal"
		}
		return text
	}
	return Result{Violation: v}
}

// states are those that the object can have been in when the last call took
// effect.
func (f *part) states(t *history.Trace) []string {
	var all []string
	for i := range f.died.table.entries {
		if text := f.died.p.describe(t, f.died.table.entries[i].state); !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	slices.Sort(all)
	const most = 5
	if n := len(all); n > most {
		all = append(all[:most-1], fmt.Sprintf("was in one of %d other states", n-most+1))
	}
	return all
}

// restore gives the calls that had returned by an event their ends back: that
// leaves them less freedom than they had in the proof.
func (d *driver) restore(f *part, event int) []history.Call {
	end := d.calls[^d.p.events[event]].Return
	all := slices.Clone(f.calls)
	for i := range all {
		if c := d.calls[f.origin[i]]; c.Known != history.Unknown && c.Return <= end {
			all[i] = c
		}
	}
	return all
}

// claim says what a call was told.
func claim(t *history.Trace, c *history.Call) string {
	refused := c.Known == history.Refused
	switch c.Function {
	case history.FunctionRead:
		return "read " + t.Text(c.Value)
	case history.FunctionWrite:
		return "wrote " + t.Text(c.Value)
	case history.FunctionCompareAndSet:
		if refused {
			return fmt.Sprintf("was told that it did not hold %s, so that %s was not set", t.Text(c.Argument), t.Text(c.Value))
		}
		return fmt.Sprintf("set %s in the place of %s", t.Text(c.Value), t.Text(c.Argument))
	case history.FunctionEnqueue:
		return "enqueued " + t.Text(c.Value)
	case history.FunctionDequeue:
		if metEmpty(c) {
			return "was told that there was nothing to dequeue"
		}
		return "dequeued " + t.Text(c.Value)
	}
	if refused {
		return "was refused its " + c.Function.String()
	}
	return "was told that its " + c.Function.String() + " succeeded"
}
