package exact

import "github.com/etcd-holdfast/holdfast/history"

// BarrierSpecification is a barrier that is down at first: Hold raises it if
// it is down and is refused if it is up, Lower lowers it or does nothing, Wait
// passes while it is down. The state is whether it is up.
type BarrierSpecification struct{}

// Initial implements Specification.
func (BarrierSpecification) Initial() bool { return false }

// Step implements Specification.
func (b BarrierSpecification) Step(up bool, c *history.Call, after []bool) []bool {
	return b.Effect(c).step(up, after)
}

// Observes implements Specification.
func (BarrierSpecification) Observes(c *history.Call) bool { return c.Function == history.FunctionWait }

// Effect implements Memoryless.
func (BarrierSpecification) Effect(c *history.Call) Effect[bool] {
	switch {
	case c.Function == history.FunctionHold && c.Known == history.Refused, c.Function == history.FunctionWait && c.Known == history.Refused:
		return Effect[bool]{Needs: NeedOnly, State: true}
	case c.Function == history.FunctionHold:
		return Effect[bool]{Needs: NeedOnly, State: false, Writes: true, To: true}
	case c.Function == history.FunctionLower && c.Known != history.Refused:
		return Effect[bool]{Writes: true, To: false}
	case c.Function == history.FunctionWait && c.Known == history.Unknown:
		return Effect[bool]{}
	case c.Function == history.FunctionWait:
		return Effect[bool]{Needs: NeedOnly, State: false}
	}
	return Effect[bool]{Needs: NeedNever}
}

// Describe implements Specification.
func (BarrierSpecification) Describe(_ *history.Trace, up bool) string {
	if up {
		return "was up"
	}
	return "was down"
}
