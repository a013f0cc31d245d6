package holdfast

import (
	"slices"

	"github.com/etcd-holdfast/holdfast/history"
)

// beliefs follows what clients believe that they hold, record by record, and counts
// holds that begin while they are excluded. It counts what exclusion finds in the
// whole history, but for resumed leaderships, which depend on what their
// predecessors had given up.
type beliefs struct {
	// permits are those of each subject whose clients hold something.
	permits map[string]int
	// asked are the acquires under way, held what was acquired, by object.
	asked    map[int64]belief
	held     map[object][]belief
	at       map[int64]object
	overlaps int64
}

type object struct{ subject, name string }

// belief is a hold, or what will be one.
type belief struct {
	object  object
	acquire int64
	client  string
	lease   int64
	mode    history.Mode
}

func newBeliefs(h *history.Header) beliefs {
	b := beliefs{permits: make(map[string]int), asked: make(map[int64]belief), held: make(map[object][]belief), at: make(map[int64]object)}
	for _, s := range h.Subjects {
		switch s.Primitive {
		case history.Bank, history.Register:
		case history.Semaphore:
			b.permits[s.Name] = max(1, s.Permits)
		default:
			b.permits[s.Name] = 1
		}
	}
	return b
}

func (b *beliefs) hear(r history.Record) {
	switch {
	case r.Operation != nil:
		op := r.Operation
		switch {
		case op.Kind.Releases():
			b.end(op.Hold)
		case op.Kind.Acquires() && op.Kind != history.Resume && b.permits[op.Subject] > 0:
			b.asked[op.ID] = belief{object: object{op.Subject, op.Object}, acquire: op.ID, client: op.Client, lease: op.Lease, mode: op.Mode}
		}
	case r.Completion != nil:
		hold, ok := b.asked[r.Completion.ID]
		if !ok {
			return
		}
		delete(b.asked, r.Completion.ID)
		if r.Completion.Outcome == history.Ok {
			if r.Completion.Lease != 0 {
				hold.lease = r.Completion.Lease
			}
			b.begin(hold)
		}
	case r.Event.Kind == history.Lost && r.Event.Heeded:
		b.endAll(func(h *belief) bool { return h.client == r.Event.Client && h.lease == r.Event.Lease })
	case r.Event.Kind == history.Crashed:
		b.endAll(func(h *belief) bool { return h.client == r.Event.Client })
		for id, asked := range b.asked {
			if asked.client == r.Event.Client {
				delete(b.asked, id)
			}
		}
	}
}

// begin adds a hold and counts whom it meets: of a semaphore, that all permits are
// taken; else each hold of another client that excludes it.
func (b *beliefs) begin(hold belief) {
	beside := b.held[hold.object]
	if permits := b.permits[hold.object.subject]; permits > 1 {
		if len(beside) >= permits {
			b.overlaps++
		}
	} else {
		for _, other := range beside {
			readers := other.mode == history.ReadMode && hold.mode == history.ReadMode
			if other.client != hold.client && !readers {
				b.overlaps++
			}
		}
	}
	b.held[hold.object] = append(beside, hold)
	b.at[hold.acquire] = hold.object
}

// end ends the hold that an acquire began, if it lasts.
func (b *beliefs) end(acquire int64) {
	at, ok := b.at[acquire]
	if !ok {
		return
	}
	delete(b.at, acquire)
	b.held[at] = slices.DeleteFunc(b.held[at], func(h belief) bool { return h.acquire == acquire })
}

func (b *beliefs) endAll(over func(*belief) bool) {
	for at, holds := range b.held {
		b.held[at] = slices.DeleteFunc(holds, func(h belief) bool {
			if over(&h) {
				delete(b.at, h.acquire)
				return true
			}
			return false
		})
	}
}
