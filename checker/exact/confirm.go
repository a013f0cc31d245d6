package exact

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/etcd-holdfast/holdfast/history"
)

// confirmationLimit is how long porcupine may think about a witness, which is
// a matter of microseconds for the few calls that one should be. Where much
// happened at once it can need many calls, and porcupine for ever.
const confirmationLimit = 2 * time.Second

// confirm has porcupine judge the witness alone. If it does not agree that the
// few calls are a violation by themselves, nothing is claimed; if it comes to
// no answer, the violation says so.
func (m *Model) confirm(result Result, p Parameters) Result {
	v := result.Violation
	switch m.SecondOpinion(v.Witness, p) {
	case porcupine.Ok:
		return Result{Unknown: fmt.Sprintf("the check found a violation in %d calls that porcupine finds legal: one of the two is wrong; please report it with this history", len(v.Witness))}
	case porcupine.Unknown:
		v.unconfirmed = true
	}
	return result
}

// SecondOpinion asks porcupine about a few calls alone: whether they are
// linearizable.
func (m *Model) SecondOpinion(calls []history.Call, p Parameters) porcupine.CheckResult {
	operations, unknown := m.written(calls)
	if unknown {
		return porcupine.CheckOperationsTimeout(untilEnd(m.oracle(p)), append(operations, end(operations)), confirmationLimit)
	}
	return porcupine.CheckOperationsTimeout(m.specification(p, false), operations, confirmationLimit)
}

// end is an operation after all that returned. Calls of unknown outcome that
// have no effect come after it.
func end(operations []porcupine.Operation) porcupine.Operation {
	at := int64(math.MinInt64)
	for i := range operations {
		at = max(at, operations[i].Call)
		if operations[i].Return != history.NoReturn {
			at = max(at, operations[i].Return)
		}
	}
	return porcupine.Operation{Input: history.Call{}, Call: at + 1, Return: at + 1}
}

// front is the states that the object can be in, and whether the end has come.
type front struct {
	ended  bool
	states []any
}

// untilEnd is the model for histories with an end: a call of unknown outcome
// changes the state before it, or does nothing after it. So porcupine need not
// carry along, for each such call, that it may have done nothing: the states
// are one wherever what a call does is certain. States are comparable.
func untilEnd(oracle porcupine.NondeterministicModel) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return front{states: oracle.Init()} },
		StepContext: func(_ context.Context, state, input, output any) (bool, any) {
			f, c := state.(front), input.(history.Call)
			switch {
			case c.Function == history.FunctionNone:
				return true, front{ended: true, states: f.states}
			case f.ended:
				return c.Known == history.Unknown, f
			}
			var after []any
			for _, s := range f.states {
				for _, next := range oracle.Step(s, input, output) {
					if !(c.Known == history.Unknown && next == s) && !slices.Contains(after, next) {
						after = append(after, next)
					}
				}
			}
			return len(after) > 0, front{states: after}
		},
		Equal: func(a, b any) bool {
			x, y := a.(front), b.(front)
			return x.ended == y.ended && len(x.states) == len(y.states) &&
				!slices.ContainsFunc(x.states, func(s any) bool { return !slices.Contains(y.states, s) })
		},
	}
}
