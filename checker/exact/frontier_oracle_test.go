package exact

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"

	"github.com/etcd-holdfast/holdfast/history"
)

// modelled is what the tests know of a kind of object, apart from the code that
// they test: how a call changes it, what calls there are.
type modelled struct {
	name    string
	initial string
	most    int // calls of a history: what the oracle can bear
	// do returns the states after a call took effect, given what it was told;
	// if the call's outcome is unknown, as if any were told.
	do func(state string, c history.Call) []string
	// ask draws what a call asks for.
	ask func(r *rand.Rand, process int32) history.Call
	// answer carries a call out, and sets what it is told; false: not now.
	answer func(r *rand.Rand, state string, c *history.Call) (string, bool)
	judge  func(d func(*driver), calls []history.Call, limits Limits) Result
}

// oracle is the object as porcupine sees it.
func (o *modelled) oracle() porcupine.Model {
	m := porcupine.NondeterministicModel{
		Init: func() []any { return []any{o.initial} },
		Step: func(state, input, _ any) []any {
			c := input.(asked)
			var all []any
			for _, s := range o.do(state.(string), c.Call) {
				all = append(all, s)
			}
			if c.optional {
				all = append(all, state)
			}
			return all
		},
	}
	return m.ToModel()
}

// asked is an operation of the oracle. If optional it has no effect, or, at any
// time since its invocation, one that suits what it was told.
type asked struct {
	history.Call
	optional bool
}

// legal asks the oracle about a whole history.
func (o *modelled) legal(calls []history.Call) bool {
	return o.legalUntil(calls, history.NoReturn, true)
}

// legalUntil asks the oracle about the returns before a position, or, if
// inclusive, at it too. Calls that have not returned by then are optional.
func (o *modelled) legalUntil(calls []history.Call, position int64, inclusive bool) bool {
	var ops []porcupine.Operation
	for _, c := range calls {
		if c.Invoke > position {
			continue
		}
		optional := c.Known == history.Unknown
		if !optional && (c.Return > position || c.Return == position && !inclusive) {
			if c.Known == history.Refused {
				continue
			}
			optional, c.Return = true, history.NoReturn
		}
		ops = append(ops, porcupine.Operation{ClientId: int(c.Process), Input: asked{c, optional}, Call: c.Invoke, Return: c.Return})
	}
	return porcupine.CheckOperations(o.oracle(), ops)
}

// draw simulates processes that use an object, and spoils some of the results.
func (o *modelled) draw(r *rand.Rand, processes, n int, unknown float64) []history.Call {
	var calls []history.Call
	state := o.initial
	pending := make([]int, processes) // index of the call, or -1
	done := make([]bool, processes)
	names := make([]int32, processes)
	for i := range pending {
		pending[i], names[i] = -1, int32(i)
	}
	var now int64
	next := int32(processes)
	for len(calls) < n || slices.ContainsFunc(pending, func(p int) bool { return p >= 0 }) {
		if r.IntN(3) > 0 {
			now++
		}
		i := r.IntN(processes)
		switch k := pending[i]; {
		case k < 0 && len(calls) < n:
			c := o.ask(r, names[i])
			c.Process, c.Invoke, c.Return, c.ID = names[i], now, history.NoReturn, int64(len(calls))
			pending[i], done[i] = len(calls), false
			calls = append(calls, c)
		case k < 0:
		case r.Float64() < unknown && !(calls[k].Known == history.Refused):
			c := &calls[k]
			c.Known = history.Unknown
			if c.Function == history.FunctionDequeue || c.Function == history.FunctionRead {
				c.Value = history.Nil
			}
			pending[i], names[i] = -1, next
			next++
		case !done[i]:
			c := calls[k]
			s, ok := o.answer(r, state, &c)
			if ok {
				state, calls[k], done[i] = s, c, true
			} else if len(calls) >= n {
				calls[k].Known, pending[i] = history.Unknown, -1
			}
		default:
			calls[k].Return = now
			pending[i] = -1
		}
	}
	return calls
}

// spoilCalls changes what a call was told, or when it returned.
func spoilCalls(r *rand.Rand, calls []history.Call) {
	for range 20 {
		i := r.IntN(len(calls))
		c := &calls[i]
		if c.Known == history.Unknown {
			continue
		}
		switch {
		case r.IntN(4) == 0 && c.Function != history.FunctionRead && c.Function != history.FunctionWrite && c.Function != history.FunctionEnqueue:
			c.Known = history.Succeeded + history.Refused - c.Known
			if c.Known == history.Succeeded && c.Function == history.FunctionDequeue && c.Value == history.Nil {
				c.Value = history.Value(r.IntN(3))
			}
		case c.Function == history.FunctionRead || c.Function == history.FunctionDequeue:
			if c.Known == history.Succeeded {
				c.Value = calls[r.IntN(len(calls))].Value
			}
		default:
			c.Return = max(c.Invoke, c.Return-int64(r.IntN(4)))
		}
		return
	}
}

func one(s string, ok bool) []string {
	if ok {
		return []string{s}
	}
	return nil
}

// judgeWith runs the driver as Frontier does, changed by f.
func judgeWith[S comparable](spec Specification[S]) func(f func(*driver), calls []history.Call, limits Limits) Result {
	return func(f func(*driver), calls []history.Call, limits Limits) Result {
		if f == nil {
			return Frontier(ctxForTests, spec, calls, limits)
		}
		if limits.Bytes == 0 {
			limits.Bytes = 1 << 30
		}
		d := &driver{ctx: ctxForTests, calls: calls, limits: limits, beams: standardBeams(),
			prepare: func(calls []history.Call, from start) *problem { return prepare(spec, calls, from) }}
		f(d)
		return d.judge()
	}
}

func registerObject(name string, values int, start history.Value) *modelled {
	text := func(v history.Value) string { return fmt.Sprint(int64(v)) }
	unique := history.Value(0)
	value := func(r *rand.Rand) history.Value {
		if values == 0 {
			unique++
			return unique
		}
		return history.Value(r.IntN(values))
	}
	return &modelled{
		name: name, initial: text(start), most: 13,
		do: func(s string, c history.Call) []string {
			switch c.Function {
			case history.FunctionRead:
				return one(s, c.Known == history.Unknown || c.Known == history.Succeeded && s == text(c.Value))
			case history.FunctionWrite:
				return one(text(c.Value), c.Known != history.Refused)
			}
			if c.Known == history.Refused {
				return one(s, s != text(c.Argument))
			}
			return one(text(c.Value), s == text(c.Argument))
		},
		ask: func(r *rand.Rand, _ int32) history.Call {
			switch r.IntN(3) {
			case 0:
				return history.Call{Function: history.FunctionRead}
			case 1:
				return history.Call{Function: history.FunctionWrite, Value: value(r)}
			}
			c := history.Call{Function: history.FunctionCompareAndSet, Value: value(r)}
			if c.Argument = history.Value(r.IntN(max(values, 1))); values == 0 {
				c.Argument = max(0, unique-history.Value(1+r.IntN(3)))
			}
			return c
		},
		answer: func(r *rand.Rand, s string, c *history.Call) (string, bool) {
			c.Known = history.Succeeded
			switch {
			case c.Function == history.FunctionRead:
				var v int64
				fmt.Sscan(s, &v)
				c.Value = history.Value(v)
				return s, true
			case c.Function == history.FunctionCompareAndSet && s != text(c.Argument):
				c.Known = history.Refused
				return s, true
			}
			return text(c.Value), true
		},
		judge: judgeWith(Specification[history.Value](RegisterSpecification{Start: start})),
	}
}

func mutexObject(owner bool) *modelled {
	o := &modelled{name: "plain mutex", initial: "free", most: 13, judge: judgeWith(Specification[bool](PlainMutexSpecification{}))}
	taker := func(c history.Call) string { return "taken" }
	if owner {
		o.name, o.judge = "owner mutex", judgeWith(Specification[int32](OwnerMutexSpecification{}))
		taker = func(c history.Call) string { return fmt.Sprint(c.Process) }
	}
	o.do = func(s string, c history.Call) []string {
		refused := c.Known == history.Refused
		switch {
		case c.Function == history.FunctionRelease && refused:
			return one(s, s != taker(c))
		case c.Function == history.FunctionRelease:
			return one("free", s == taker(c))
		case refused:
			return one(s, s != "free")
		}
		return one(taker(c), s == "free")
	}
	o.ask = func(r *rand.Rand, _ int32) history.Call {
		return history.Call{Function: [...]history.Function{history.FunctionAcquire, history.FunctionTryAcquire, history.FunctionRelease}[r.IntN(3)]}
	}
	o.answer = func(r *rand.Rand, s string, c *history.Call) (string, bool) {
		c.Known = history.Succeeded
		if n := o.do(s, *c); len(n) > 0 {
			return n[0], true
		}
		if c.Function == history.FunctionAcquire && r.IntN(2) == 0 {
			c.Known = history.Unknown
			return s, false
		}
		c.Known = history.Refused
		return s, true
	}
	return o
}

func queueObject(priority bool) *modelled {
	o := &modelled{name: "queue", most: 8, judge: judgeWith(Specification[string](QueueSpecification{}))}
	if priority {
		o.name, o.judge = "priority queue", judgeWith(Specification[string](PriorityQueueSpecification{}))
	}
	// A state is items "priority:value ", in the order in which they leave.
	o.do = func(s string, c history.Call) []string {
		items := strings.Fields(s)
		if c.Function == history.FunctionEnqueue {
			items = append(items, fmt.Sprintf("%d:%d", c.Argument, c.Value))
			if priority {
				slices.Sort(items)
			}
			return one(strings.Join(items, " "), c.Known != history.Refused)
		}
		if c.Known == history.Refused || c.Known == history.Succeeded && c.Value == history.Nil {
			return one(s, s == "")
		}
		var all []string
		for i, item := range items {
			if i > 0 && (!priority || item[0] != items[0][0]) {
				break
			}
			if c.Known == history.Unknown || strings.HasSuffix(item, fmt.Sprintf(":%d", c.Value)) {
				all = append(all, strings.Join(slices.Delete(slices.Clone(items), i, i+1), " "))
			}
		}
		return all
	}
	o.ask = func(r *rand.Rand, _ int32) history.Call {
		if r.IntN(2) == 0 {
			return history.Call{Function: history.FunctionDequeue}
		}
		c := history.Call{Function: history.FunctionEnqueue, Value: history.Value(r.IntN(3))}
		if priority {
			c.Argument = history.Value(r.IntN(3))
		}
		return c
	}
	o.answer = func(r *rand.Rand, s string, c *history.Call) (string, bool) {
		c.Known = history.Succeeded
		if c.Function == history.FunctionEnqueue {
			return o.do(s, *c)[0], true
		}
		items := strings.Fields(s)
		if len(items) == 0 {
			c.Value = history.Nil
			if r.IntN(2) == 0 {
				c.Known = history.Refused
			}
			return s, true
		}
		var v int64
		fmt.Sscan(items[0][strings.Index(items[0], ":")+1:], &v)
		c.Value = history.Value(v)
		return strings.Join(items[1:], " "), true
	}
	return o
}

func oracleObjects() []*modelled {
	return []*modelled{
		registerObject("register, few values", 3, history.Nil),
		registerObject("register, unique values", 0, 0),
		mutexObject(false), mutexObject(true), queueObject(false), queueObject(true),
	}
}
