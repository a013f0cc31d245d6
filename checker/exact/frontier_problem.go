package exact

import (
	"cmp"
	"slices"
	"unsafe"

	"github.com/etcd-holdfast/holdfast/history"
)

// other stands, of a Memoryless specification, for all states that no call
// tells apart any more.
const other int32 = 0

// problem is a history made ready for the search: its events in order, states
// as small numbers, and calls of unknown outcome sorted into classes of calls
// that are alike.
type problem struct {
	calls []history.Call
	// events are in the order of their positions, invocations before returns:
	// i is the invocation of calls[i], ^i its return.
	events []int32
	// effects are those of the calls, nil if the specification has memory.
	effects []effect
	// classOf is, for a call of unknown outcome that can change anything, its
	// class, else -1.
	classOf []int32
	classes []class
	// observes are the calls that never change the state.
	observes []bool
	// deaths are the states that no call needs any more, by event.
	deaths  []death
	initial []int32
	// states is how many states have numbers; after a search, of all met.
	states func() int
	step   func(state, call int32, after []int32) []int32
	// size is about how many bytes the states take.
	size     func() int64
	describe func(t *history.Trace, state int32) string
}

// effect is an Effect with numbers for states.
type effect struct {
	state, to int32
	needs     Need
	writes    bool
}

func (e *effect) met(state int32) bool {
	switch e.needs {
	case NeedAny:
		return true
	case NeedOnly:
		return state == e.state
	case NeedOther:
		return state != e.state
	}
	return false
}

// class is calls of unknown outcome that are alike. Of a Memoryless
// specification, they lead from a state, or from any if from is -1, to another.
type class struct {
	from, to int32
	call     int32 // one of them
}

// death is the event after which no call that has not returned needs a state,
// nor can any of unknown outcome lead from it to one that is needed: nothing
// tells the state apart from others of that kind. An event of -1 is before all.
type death struct{ event, state int32 }

// start is where a search starts: in the specification's initial state, or
// anywhere.
type start uint8

const (
	fromInitial start = iota
	fromAnywhere
)

func prepare[S comparable](spec Specification[S], calls []history.Call, from start) *problem {
	p := &problem{calls: calls, events: eventsOf(calls), classOf: make([]int32, len(calls)), observes: make([]bool, len(calls))}
	if m, ok := spec.(Memoryless[S]); ok {
		prepareMemoryless(p, m, from)
	} else {
		prepareGeneral(p, spec)
	}
	return p
}

// eventsOf merges the invocations and returns of calls, which come by invocation.
func eventsOf(calls []history.Call) []int32 {
	returns := make([]int32, 0, len(calls))
	for i := range calls {
		if calls[i].Known != history.Unknown {
			returns = append(returns, int32(i))
		}
	}
	slices.SortStableFunc(returns, func(a, b int32) int { return cmp.Compare(calls[a].Return, calls[b].Return) })
	events := make([]int32, 0, len(calls)+len(returns))
	next := 0
	for _, r := range returns {
		for next < len(calls) && calls[next].Invoke <= calls[r].Return {
			events = append(events, int32(next))
			next++
		}
		events = append(events, ^r)
	}
	// What is invoked after the last return can always be left out.
	return events
}

func prepareMemoryless[S comparable](p *problem, spec Memoryless[S], from start) {
	numbers := make(map[S]int32)
	values := make([]S, 1) // of other: nothing
	number := func(s S) int32 {
		n, ok := numbers[s]
		if !ok {
			n = int32(len(values))
			numbers[s] = n
			values = append(values, s)
		}
		return n
	}
	initial := number(spec.Initial())
	p.effects = make([]effect, len(p.calls))
	type key struct{ from, to int32 }
	classes := make(map[key]int32)
	for i := range p.calls {
		e := spec.Effect(&p.calls[i])
		n := effect{needs: e.Needs, writes: e.Writes, state: -1, to: -1}
		if e.Needs == NeedOnly || e.Needs == NeedOther {
			n.state = number(e.State)
		}
		if e.Writes {
			n.to = number(e.To)
		}
		p.effects[i] = n
		p.observes[i] = !e.Writes
		p.classOf[i] = -1
		if p.calls[i].Known == history.Unknown && e.Writes && e.Needs != NeedNever {
			k := key{n.state, n.to}
			c, ok := classes[k]
			if !ok {
				c = int32(len(p.classes))
				classes[k] = c
				p.classes = append(p.classes, class{from: n.state, to: n.to, call: int32(i)})
			}
			p.classOf[i] = c
		}
	}
	p.findDeaths(len(values))
	p.states = func() int { return len(values) }
	p.size = func() int64 { return int64(len(values)) * int64(unsafe.Sizeof(values[0])+16) }
	p.describe = func(t *history.Trace, state int32) string {
		if state == other {
			return "was in another state"
		}
		return spec.Describe(t, values[state])
	}
	p.initial = []int32{initial}
	if from == fromAnywhere {
		p.initial = p.initial[:0]
		for s := range values {
			p.initial = append(p.initial, int32(s))
		}
	}
}

// findDeaths counts, for each state, the calls that need it and have not
// returned and the classes that lead from it to a needed one.
func (p *problem) findDeaths(states int) {
	needed := make([]int32, states)
	into := make([][]int32, states)
	for i := range p.calls {
		if e := &p.effects[i]; p.calls[i].Known != history.Unknown && e.state >= 0 {
			needed[e.state]++
		}
	}
	for i, c := range p.classes {
		if c.from >= 0 {
			needed[c.from]++
			into[c.to] = append(into[c.to], int32(i))
		}
	}
	var dying []int32
	die := func(event int32) {
		for len(dying) > 0 {
			s := dying[len(dying)-1]
			dying = dying[:len(dying)-1]
			p.deaths = append(p.deaths, death{event, s})
			for _, c := range into[s] {
				from := p.classes[c].from
				if needed[from]--; needed[from] == 0 {
					dying = append(dying, from)
				}
			}
		}
	}
	var unneeded []int32
	for s := 1; s < states; s++ {
		if needed[s] == 0 {
			unneeded = append(unneeded, int32(s))
		}
	}
	dying = append(dying, unneeded...)
	die(-1)
	for at, e := range p.events {
		if e >= 0 {
			continue
		}
		if s := p.effects[^e].state; s >= 0 {
			if needed[s]--; needed[s] == 0 {
				dying = append(dying, s)
				die(int32(at))
			}
		}
	}
}

func prepareGeneral[S comparable](p *problem, spec Specification[S]) {
	numbers := make(map[S]int32)
	var values []S
	var bytes int64
	number := func(s S) int32 {
		n, ok := numbers[s]
		if !ok {
			n = int32(len(values))
			numbers[s] = n
			values = append(values, s)
			bytes += int64(2*unsafe.Sizeof(s)) + 48
			if text, ok := any(s).(string); ok {
				bytes += int64(len(text))
			}
		}
		return n
	}
	type key struct {
		function        history.Function
		value, argument history.Value
		shared          bool
	}
	classes := make(map[key]int32)
	for i := range p.calls {
		c := &p.calls[i]
		p.observes[i] = c.Known == history.Refused || spec.Observes(c)
		p.classOf[i] = -1
		if c.Known != history.Unknown || p.observes[i] {
			continue
		}
		k := key{c.Function, c.Value, c.Argument, c.Shared}
		n, ok := classes[k]
		if !ok {
			n = int32(len(p.classes))
			classes[k] = n
			p.classes = append(p.classes, class{from: -1, to: -1, call: int32(i)})
		}
		p.classOf[i] = n
	}
	var buffer []S
	p.initial = []int32{number(spec.Initial())}
	p.states = func() int { return len(values) }
	p.size = func() int64 { return bytes }
	p.describe = func(t *history.Trace, state int32) string { return spec.Describe(t, values[state]) }
	p.step = func(state, call int32, after []int32) []int32 {
		buffer = spec.Step(values[state], &p.calls[call], buffer[:0])
		for _, s := range buffer {
			after = append(after, number(s))
		}
		return after
	}
}
