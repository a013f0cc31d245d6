package history

import "time"

// History is the record of one run, whole or cut short.
type History struct {
	Header Header
	// Operations are in the order of their calls; IDs rise.
	Operations []Operation
	// Events are in the order of their times.
	Events    []Event
	Revisions *RevisionLog
	Faults    []Fault
	// End is the time of the last record: nothing is known after it.
	End time.Duration
}

// Operation returns the operation with the given ID, or nil.
func (h *History) Operation(id int64) *Operation {
	if i, ok := h.Place(id); ok {
		return &h.Operations[i]
	}
	return nil
}

// Place returns the index in Operations of the operation with the given ID, and
// whether there is one.
func (h *History) Place(id int64) (int, bool) {
	low, high := 0, len(h.Operations)
	if high > 0 { // a Recorder leaves no ID out
		if i := id - h.Operations[0].ID; 0 <= i && i < int64(high) && h.Operations[i].ID == id {
			return int(i), true
		}
	}
	for low < high {
		middle := (low + high) / 2
		if h.Operations[middle].ID < id {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, low < len(h.Operations) && h.Operations[low].ID == id
}

// Phase returns when the named phase began, and whether it did.
func (h *History) Phase(name string) (time.Duration, bool) {
	for i := range h.Events {
		if h.Events[i].Kind == PhaseBegan && h.Events[i].Detail == name {
			return h.Events[i].Time, true
		}
	}
	return 0, false
}

// Complete is true if the record reaches the end of its run.
func (h *History) Complete() bool {
	_, ok := h.Phase(PhaseEnd)
	return ok
}
