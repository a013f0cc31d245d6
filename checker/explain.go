package checker

import (
	"context"
	"slices"

	"github.com/etcd-holdfast/holdfast/checker/exact"
	"github.com/etcd-holdfast/holdfast/history"
)

// View is one subject's calls as a model sees them.
type View struct {
	// Name is the subject's, or with a suffix what of it is looked at.
	Name string
	// Model names one of exact's.
	Model      string
	Trace      *history.Trace
	Parameters exact.Parameters
}

// Views are what a subject can be looked at as: a lock by its holds, and an
// election by its leader values too.
func Views(h *history.History, s history.SubjectInfo) []View {
	var none exact.Parameters
	switch s.Primitive {
	case history.RWMutex:
		return []View{{s.Name, "rwmutex", h.HoldsTrace(s.Name), none}}
	case history.Queue, history.PriorityQueue:
		return []View{{s.Name, string(s.Primitive), h.QueueTrace(s.Name), none}}
	case history.Barrier:
		return []View{{s.Name, "barrier", h.BarrierTrace(s.Name), none}}
	case history.DoubleBarrier:
		return []View{{s.Name, "double-barrier", h.DoubleBarrierTrace(s.Name), exact.Parameters{Parties: s.Permits}}}
	case history.Election:
		return []View{
			{s.Name, "owner-mutex", h.HoldsTrace(s.Name), none},
			{s.Name + "-value", "register", h.RegisterTrace(s.Name), none},
		}
	case history.Semaphore:
		return []View{{s.Name, "semaphore", h.HoldsTrace(s.Name), exact.Parameters{Permits: s.Permits}}}
	case history.Register:
		return []View{{s.Name, "cas-register", h.KeyTrace(s.Name, s.Promise != history.MayBeStale), none}}
	case history.Bank:
		return nil // no model has transactions
	}
	return []View{{s.Name, "owner-mutex", h.HoldsTrace(s.Name), none}}
}

// Explanation is a violation of Linearizable as an order of calls that ends.
type Explanation struct {
	exact.Order
	Trace *history.Trace
	Model string
	// Note says which of the object's calls were looked at, or "" if all.
	Note string
}

const (
	// maxExplained is of how many operations a history may have for violations to be
	// explained, and maxOrdered how many calls an order has at most.
	maxExplained = 100_000
	maxOrdered   = 16
	// orderSteps bounds the search for the longest order.
	orderSteps = 200_000
)

// Explain returns the longest order in which the calls around a violation of
// Linearizable can have taken effect, and the call that cannot follow. Without one
// it says why: so many calls, or that only the revision log shows the violation. It
// needs nothing but the history, and of the same one says the same.
func Explain(h *history.History, s history.SubjectInfo, v *Violation) (*Explanation, string) {
	if len(h.Operations) > maxExplained {
		return nil, "the run is too long for a picture here"
	}
	all := Views(h, s)
	if len(all) == 0 {
		return nil, "no model has these calls"
	}
	if s.Primitive == history.DoubleBarrier {
		return nil, "its calls have to be together, which an order does not show"
	}
	view := all[len(all)-1] // of an election its leader value
	models := []string{view.Model}
	if s.Primitive == history.Register { // as they are judged
		models = []string{"kv", view.Model}
	}
	var found *Explanation
	why := "the calls by themselves can be put in order; what the revision log has, or etcd's revisions, show that they are wrong"
	view.Trace.ByObject(func(o int32, calls []history.Call) {
		if view.Trace.Objects[o] != v.Object {
			return
		}
		for _, name := range models {
			if found != nil {
				return
			}
			model, _ := exact.ModelNamed(name)
			result := model.Check(context.Background(), calls, view.Parameters, exact.Limits{Steps: registerSteps, Unconfirmed: true})
			w := result.Violation
			if w == nil || !slices.ContainsFunc(w.Witness, func(c history.Call) bool { return slices.Contains(v.Witness, c.ID) }) {
				continue
			}
			some, note := exact.Excerpt(calls, w, maxOrdered)
			if len(some) > maxOrdered {
				why = "it takes too many calls for a picture here"
				continue
			}
			if order, ok := model.LongestOrder(some, view.Parameters, orderSteps); ok && len(order.Longest) > 0 {
				found, why = &Explanation{Order: order, Trace: view.Trace, Model: name, Note: note}, ""
			}
		}
	})
	return found, why
}
