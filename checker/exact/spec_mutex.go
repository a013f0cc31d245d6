package exact

import "github.com/etcd-holdfast/holdfast/history"

// PlainMutexSpecification is a lock of one bit: an acquire takes it, and a release by
// whomever frees it. The state is whether it is taken. A refused acquire met it
// taken, a refused release met it free.
type PlainMutexSpecification struct{}

// Initial implements Specification.
func (PlainMutexSpecification) Initial() bool { return false }

// Step implements Specification.
func (m PlainMutexSpecification) Step(taken bool, c *history.Call, after []bool) []bool {
	return m.Effect(c).step(taken, after)
}

// Observes implements Specification.
func (PlainMutexSpecification) Observes(*history.Call) bool { return false }

// Effect implements Memoryless.
func (PlainMutexSpecification) Effect(c *history.Call) Effect[bool] {
	switch {
	case acquires(c) && c.Known == history.Refused:
		return Effect[bool]{Needs: NeedOnly, State: true}
	case acquires(c):
		return Effect[bool]{Needs: NeedOnly, State: false, Writes: true, To: true}
	case c.Function == history.FunctionRelease && c.Known == history.Refused:
		return Effect[bool]{Needs: NeedOnly, State: false}
	case c.Function == history.FunctionRelease:
		return Effect[bool]{Needs: NeedOnly, State: true, Writes: true, To: false}
	}
	return Effect[bool]{Needs: NeedNever}
}

// Describe implements Specification.
func (PlainMutexSpecification) Describe(_ *history.Trace, taken bool) string {
	if taken {
		return "was taken"
	}
	return "was free"
}

// OwnerMutexSpecification is a lock that knows its owner: an acquire, by whomever, needs it
// free, a release needs that its own process holds it. The state is the owner,
// or -1. A refused acquire met it taken, a refused release met it free or
// another's.
type OwnerMutexSpecification struct{}

// Initial implements Specification.
func (OwnerMutexSpecification) Initial() int32 { return -1 }

// Step implements Specification.
func (m OwnerMutexSpecification) Step(owner int32, c *history.Call, after []int32) []int32 {
	return m.Effect(c).step(owner, after)
}

// Observes implements Specification.
func (OwnerMutexSpecification) Observes(*history.Call) bool { return false }

// Effect implements Memoryless.
func (OwnerMutexSpecification) Effect(c *history.Call) Effect[int32] {
	switch {
	case acquires(c) && c.Known == history.Refused:
		return Effect[int32]{Needs: NeedOther, State: -1}
	case acquires(c):
		return Effect[int32]{Needs: NeedOnly, State: -1, Writes: true, To: c.Process}
	case c.Function == history.FunctionRelease && c.Known == history.Refused:
		return Effect[int32]{Needs: NeedOther, State: c.Process}
	case c.Function == history.FunctionRelease:
		return Effect[int32]{Needs: NeedOnly, State: c.Process, Writes: true, To: -1}
	}
	return Effect[int32]{Needs: NeedNever}
}

// Describe implements Specification.
func (OwnerMutexSpecification) Describe(t *history.Trace, owner int32) string {
	if owner < 0 {
		return "was free"
	}
	return "was held by " + t.Called(owner)
}
