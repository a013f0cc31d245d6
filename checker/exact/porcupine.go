package exact

import (
	"context"
	"fmt"
	"io"
	"slices"
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
	operations, unknown := m.written(calls)
	return m.specification(p, unknown), operations
}

// specification is the model for porcupine: in several states at once only if
// there are calls of unknown outcome.
func (m *Model) specification(p Parameters, unknown bool) porcupine.Model {
	oracle := m.oracle(p)
	if unknown || len(oracle.Init()) != 1 {
		return oracle.ToModel()
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
	}
}

// written returns calls as porcupine's operations, and whether any is of
// unknown outcome.
func (m *Model) written(calls []history.Call) (operations []porcupine.Operation, unknown bool) {
	write := oracleOperations
	if m.operations != nil {
		write = m.operations
	}
	operations = write(calls)
	return operations, slices.ContainsFunc(operations, func(o porcupine.Operation) bool { return o.Input.(history.Call).Known == history.Unknown })
}

// Picture writes porcupine's own page of the calls of one object, which shows
// how far they can be put in order and where that ends. Porcupine may search
// as long as limit, zero being for ever; its answer is returned.
func (m *Model) Picture(w io.Writer, t *history.Trace, calls []history.Call, p Parameters, limit time.Duration) (porcupine.CheckResult, error) {
	model, operations := m.Porcupine(calls, p)
	model.DescribeOperation = func(input, _ any) string {
		c := input.(history.Call)
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
