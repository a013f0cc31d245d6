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
	low, high := 0, len(h.Operations)
	for low < high {
		middle := (low + high) / 2
		if h.Operations[middle].ID < id {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low < len(h.Operations) && h.Operations[low].ID == id {
		return &h.Operations[low]
	}
	return nil
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
