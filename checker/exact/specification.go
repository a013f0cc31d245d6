package exact

import "github.com/etcd-holdfast/holdfast/history"

// Specification is a sequential object, as the general search needs it. A
// specification is used by one search at a time.
type Specification[S comparable] interface {
	// Initial is the state before the first call.
	Initial() S
	// Step appends to after the states in which the object can be once the call
	// took effect in state as its outcome tells, and returns it; it appends none
	// if the call cannot take effect there. A Refused call leaves the state as
	// it is. The outcome of an Unknown call may be any. Step depends on the
	// call's Function, Value, Argument, Shared and Known only, unless the
	// specification is Memoryless.
	Step(state S, call *history.Call, after []S) []S
	// Observes says that the call, whatever its outcome, never changes the
	// state. Refused calls never do, and are not asked about.
	Observes(call *history.Call) bool
	// Describe tells a state in a sentence, with a verb: "held 3", "was free".
	Describe(t *history.Trace, state S) string
}

// Memoryless is a Specification of which each call needs, at most, that the
// state is, or is not, a certain one, and leaves a state that does not depend
// on the one before: registers and locks. The search is far faster on these,
// because it knows which calls of unknown outcome could make another possible.
type Memoryless[S comparable] interface {
	Specification[S]
	// Effect is what Step says of the call, in all states at once. An Unknown
	// call that writes needs any state or one only.
	Effect(call *history.Call) Effect[S]
}

// Effect is when a call can take effect, and what it does.
type Effect[S comparable] struct {
	// Needs and State are the states in which it can.
	Needs Need
	State S
	// Writes is true if it leaves the state To; else it leaves the state it met.
	Writes bool
	To     S
}

// Need tells in which states a call can take effect.
type Need uint8

// The needs: any state, the one named only, all but that, or none.
const (
	NeedAny Need = iota
	NeedOnly
	NeedOther
	NeedNever
)

// met says whether a call can take effect in a state.
func (e *Effect[S]) met(state S) bool {
	switch e.Needs {
	case NeedAny:
		return true
	case NeedOnly:
		return state == e.State
	case NeedOther:
		return state != e.State
	}
	return false
}

// step is Step of a specification by its Effect.
func (e Effect[S]) step(state S, after []S) []S {
	if !e.met(state) {
		return after
	}
	if e.Writes {
		return append(after, e.To)
	}
	return append(after, state)
}
