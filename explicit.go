package holdfast

import (
	"slices"
	"strconv"
	"strings"

	"github.com/etcd-holdfast/holdfast/faults"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// Explicit returns the scenario with what its seed decides written out: every
// fault of its plan is an entry of its own, and each client's first decisions,
// as many as rounds says by its name, are lines of its workload. A client that is
// not in rounds makes none. What the result plans and its clients decide is the
// same with any seed; what is left to the seed is how long a crashed client's
// replacement takes to come, and how long observers pause. Scripts stay as they
// are.
//
// A client that has made its rounds waits for the heal. With the rounds of a run,
// Info.Rounds, the result therefore does what that run did.
func (s Scenario) Explicit(rounds map[string]int) Scenario {
	s = s.completed()
	plan := s.Plan()
	for i, p := range s.survivable(plan) {
		s.Survivable[i] = p.Kind
		if k, ok := faults.Named(p.Kind); !ok || k.Draws {
			s.Survivable[i] += " " + strconv.FormatUint(p.Choice, 10)
		}
	}
	s.Faults = faults.Pinned(plan)
	for i := range s.Workloads {
		w := &s.Workloads[i]
		if len(w.Script) > 0 {
			continue
		}
		slots := s.slotsOf(i)[:max(w.Clients, 0)]
		written := make(workloads.Rounds)
		for client, n := range rounds {
			slot, _, _ := strings.Cut(client, ".")
			if !slices.Contains(slots, slot) {
				continue
			}
			decide := workloads.Planned(s.Seed, client, &w.Traffic)
			for range n {
				d, more := decide()
				if !more {
					break
				}
				written[client] = append(written[client], d.String())
			}
		}
		w.Rounds = written
	}
	return s
}
