package exact

import (
	"context"
	"slices"

	"github.com/anishathalye/porcupine"

	"github.com/etcd-holdfast/holdfast/history"
)

// Order is how far the calls of one object can be put in an order that keeps its
// specification.
type Order struct {
	// Calls are those that were looked at, in the order of their invocations.
	Calls []history.Call
	// Longest are the places in Calls of the longest order that was found.
	Longest []int
	// Stuck is the place of the call at which every order ends: of those that are
	// not in the longest one it is over first.
	Stuck int
}

// LongestOrder returns the longest order of a few calls that is linearizable, as
// porcupine finds it; of several of the same length the one whose calls were called
// first. It is false if all of them can be put in order, or if porcupine had not
// found out after so many steps of the specification: they are counted, and not the
// time, so that the answer is the same everywhere.
//
// Source: Athalye, porcupine, LinearizationInfo; after Wing and Gong, "Testing and
// verifying concurrent objects" (1993), and Lowe, "Testing for linearizability" (2017).
func (m *Model) LongestOrder(calls []history.Call, p Parameters, steps int) (Order, bool) {
	model, operations := m.Porcupine(calls, p)
	step := model.StepContext
	if step == nil {
		step = func(_ context.Context, state, input, output any) (bool, any) { return model.Step(state, input, output) }
	}
	// One goroutine searches, as one object is one partition. Where no step is
	// possible any more its search soon ends.
	model.Step = nil
	model.StepContext = func(ctx context.Context, state, input, output any) (bool, any) {
		if steps <= 0 {
			steps--
			return false, state
		}
		steps--
		return step(ctx, state, input, output)
	}
	result, found := porcupine.CheckOperationsVerbose(model, operations, 0)
	if result != porcupine.Illegal || steps < 0 {
		return Order{}, false
	}
	places := make(map[int64]int, len(calls))
	for i := range calls {
		places[calls[i].ID] = i
	}
	o := Order{Calls: calls, Stuck: -1}
	for _, orders := range found.PartialLinearizationsOperations() {
		for _, order := range orders { // in no order of their own
			some := make([]int, len(order))
			for i := range order {
				some[i] = places[order[i].Input.(history.Call).ID]
			}
			if len(some) > len(o.Longest) || len(some) == len(o.Longest) && slices.Compare(some, o.Longest) < 0 {
				o.Longest = some
			}
		}
	}
	for i := range calls {
		if !slices.Contains(o.Longest, i) && calls[i].Known != history.Unknown && (o.Stuck < 0 || calls[i].Return < calls[o.Stuck].Return) {
			o.Stuck = i
		}
	}
	return o, o.Stuck >= 0
}
