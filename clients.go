package holdfast

import (
	"context"
	"slices"

	"github.com/etcd-holdfast/holdfast/faults"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// A run's Slots, Current, Crash and Pause are what faults may do to its clients:
// see faults.Clients and faults.ClientPauser.

func (r *run) Slots(subject string) []string {
	var slots []string
	for _, c := range r.crews {
		if subject == "" || c.Subject() == subject {
			slots = append(slots, c.Slots()...)
		}
	}
	return slots
}

func (r *run) crewOf(slot string) *workloads.Crew {
	for _, c := range r.crews {
		if slices.Contains(c.Slots(), slot) {
			return c
		}
	}
	return nil
}

func (r *run) Current(slot string) (name string, lease int64) {
	if c := r.crewOf(slot); c != nil {
		return c.Current(slot)
	}
	return "", 0
}

func (r *run) Crash(slot string) bool {
	c := r.crewOf(slot)
	return c != nil && c.Crash(slot)
}

func (r *run) Pause(ctx context.Context, slot string) (faults.Standstill, error) {
	if c := r.crewOf(slot); c != nil {
		return c.Pause(ctx, slot)
	}
	return nil, nil
}
