package exact

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/etcd-holdfast/holdfast/history"
)

// Porcupine returns a history of one object, and the model, as porcupine takes
// them. A call of unknown outcome gets an interval without an end, within which
// it may also do nothing; only a history that has such calls needs a model that
// may be in several states at once.
//
// The model shares no code with the check: it is the oracle that the checks
// are tested against.
func (m *Model) Porcupine(calls []history.Call, p Parameters) (porcupine.Model, []porcupine.Operation) {
	write := oracleOperations
	if m.operations != nil {
		write = m.operations
	}
	operations := write(calls)
	oracle := m.oracle(p)
	unknown := slices.ContainsFunc(operations, func(o porcupine.Operation) bool { return o.Input.(history.Call).Known == history.Unknown })
	if unknown {
		return untilEnd(oracle), append(operations, end(operations))
	}
	if len(oracle.Init()) != 1 {
		return oracle.ToModel(), operations
	}
	return porcupine.Model{
		Init: func() any { return oracle.Init()[0] },
		StepContext: func(_ context.Context, state, input, output any) (bool, any) {
			next := oracle.Step(state, input, output)
			if len(next) == 0 {
				return false, state
			}
			return true, next[0]
		},
		Equal: oracle.Equal, Hash: oracle.Hash, DescribeState: oracle.DescribeState,
	}, operations
}

// Picture writes porcupine's own page of the calls of one object, which shows
// how far they can be put in order and where that ends. Porcupine may search
// as long as limit, zero being for ever; its answer is returned.
func (m *Model) Picture(w io.Writer, t *history.Trace, calls []history.Call, p Parameters, limit time.Duration) (porcupine.CheckResult, error) {
	model, operations := m.Porcupine(calls, p)
	model.DescribeOperation = func(input, _ any) string {
		c := input.(history.Call)
		if c.Function == history.FunctionNone {
			return "end of what is known"
		}
		return Describe(t, &c)
	}
	result, info := porcupine.CheckOperationsVerbose(model, operations, limit)
	if err := porcupine.Visualize(model, info, w); err != nil {
		return result, fmt.Errorf("write porcupine's page: %w", err)
	}
	return result, nil
}

// Describe writes a call with its values, as in "cas 3 → 0: refused".
func Describe(t *history.Trace, c *history.Call) string {
	text := c.Function.String()
	if c.Shared {
		text += " for reading"
	}
	switch {
	case c.Function == history.FunctionCompareAndSet:
		text += " " + t.Text(c.Argument) + " → " + t.Text(c.Value)
	case c.Function == history.FunctionRead && c.Known == history.Succeeded, c.Function == history.FunctionDequeue && c.Known == history.Succeeded:
		text += ": " + t.Text(c.Value)
	case c.Value != history.Nil && (c.Function == history.FunctionWrite || c.Function == history.FunctionEnqueue):
		text += " " + t.Text(c.Value)
	case c.Argument != history.Nil && c.Argument > 0 && c.Function == history.FunctionAcquire:
		text += " " + t.Text(c.Argument)
	}
	switch c.Known {
	case history.Unknown:
		text += ": unknown"
	case history.Refused:
		text += ": refused"
	}
	return text
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
// are one wherever what a call does is certain.
func untilEnd(oracle porcupine.NondeterministicModel) porcupine.Model {
	same := func(a, b any) bool { return a == b }
	if oracle.Equal != nil {
		same = oracle.Equal
	}
	has := func(states []any, s any) bool {
		return slices.ContainsFunc(states, func(other any) bool { return same(s, other) })
	}
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
					if !(c.Known == history.Unknown && same(s, next)) && !has(after, next) {
						after = append(after, next)
					}
				}
			}
			return len(after) > 0, front{states: after}
		},
		Equal: func(a, b any) bool {
			x, y := a.(front), b.(front)
			return x.ended == y.ended && len(x.states) == len(y.states) &&
				!slices.ContainsFunc(x.states, func(s any) bool { return !has(y.states, s) })
		},
		DescribeState: func(state any) string {
			var all []string
			for _, s := range state.(front).states {
				if oracle.DescribeState != nil {
					all = append(all, oracle.DescribeState(s))
				} else {
					all = append(all, fmt.Sprint(s))
				}
			}
			return strings.Join(all, " or ")
		},
	}
}
