package exact

import "github.com/etcd-holdfast/holdfast/history"

// RegisterSpecification is a register that is read, written, and compared and set: a read
// tells the value that it holds; a compare-and-set that succeeded found
// Argument and left Value, one that was refused found something else.
type RegisterSpecification struct {
	// Start is the value that it holds at first; history.Nil is none.
	Start history.Value
}

// Initial implements Specification.
func (r RegisterSpecification) Initial() history.Value { return r.Start }

// Step implements Specification.
func (r RegisterSpecification) Step(state history.Value, c *history.Call, after []history.Value) []history.Value {
	return r.Effect(c).step(state, after)
}

// Observes implements Specification.
func (RegisterSpecification) Observes(c *history.Call) bool {
	return c.Function == history.FunctionRead || c.Function == history.FunctionCompareAndSet && c.Argument == c.Value
}

// Effect implements Memoryless.
func (RegisterSpecification) Effect(c *history.Call) Effect[history.Value] {
	switch {
	case c.Function == history.FunctionRead && c.Known == history.Succeeded:
		return Effect[history.Value]{Needs: NeedOnly, State: c.Value}
	case c.Function == history.FunctionRead && c.Known == history.Unknown:
		return Effect[history.Value]{}
	case c.Function == history.FunctionWrite && c.Known != history.Refused:
		return Effect[history.Value]{Writes: true, To: c.Value}
	case c.Function == history.FunctionCompareAndSet && c.Known == history.Refused:
		return Effect[history.Value]{Needs: NeedOther, State: c.Argument}
	case c.Function == history.FunctionCompareAndSet:
		return Effect[history.Value]{Needs: NeedOnly, State: c.Argument, Writes: c.Argument != c.Value, To: c.Value}
	}
	return Effect[history.Value]{Needs: NeedNever}
}

// Describe implements Specification.
func (RegisterSpecification) Describe(t *history.Trace, state history.Value) string {
	return "held " + t.Text(state)
}
