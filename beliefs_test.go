package holdfast

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/quantity"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// What is counted while a run is under way is what exclusion finds in the whole of
// its history, of subjects that break it and of one that does not.
func TestOverlapsAreThoseOfExclusion(t *testing.T) {
	for _, subject := range []string{"get-then-put", "two-writers", "semaphore-off-by-one", "mutex", "rwmutex-checked"} {
		t.Run(subject, func(t *testing.T) {
			found := int64(0)
			for seed := int64(1); seed <= 5; seed++ {
				s := SimulatedScenario(workloads.Subject{Name: subject}, seed, Swarm{Duration: 5 * time.Second})
				m, err := Simulate(t.Context(), s)
				if err != nil {
					t.Fatal(err)
				}
				b := newBeliefs(&m.History.Header)
				for _, r := range records(m.History) {
					b.hear(r)
				}
				want := int64(0)
				for _, p := range m.Result.Properties {
					if p.Property == checker.Exclusion {
						want += int64(p.Figures["overlaps"])
					}
				}
				if b.overlaps != want {
					t.Errorf("seed %d: %d overlaps while it was recorded, %d in the history", seed, b.overlaps, want)
				}
				found += want
			}
			if broken := subject != "mutex" && subject != "rwmutex-checked"; broken && found == 0 {
				t.Error("there were no overlaps to be found")
			}
		})
	}
}

// records are those of a history, in the order in which a listener was told them.
func records(h *history.History) []history.Record {
	var all []history.Record
	for i := range h.Operations {
		op := h.Operations[i]
		asked := op
		asked.Lease = 0 // it may be known only at the end
		all = append(all, history.Record{Time: op.Call, Operation: &asked})
		if op.Completed() {
			c := op.Completes()
			c.Outcome, c.Lease = op.Outcome, op.Lease
			all = append(all, history.Record{Time: op.Return, Completion: &c})
		}
	}
	for i := range h.Events {
		all = append(all, history.Record{Time: h.Events[i].Time, Event: &h.Events[i]})
	}
	slices.SortStableFunc(all, func(a, b history.Record) int { return int(a.Time - b.Time) })
	return all
}

// A status tells the stages in their order, what the run counts, faults while they
// are under way, and who leads; and nothing more once the run has returned.
func TestStatusOfARun(t *testing.T) {
	t.Parallel()
	s := NewScenario("status")
	s.Seed, s.Duration, s.Quiet = 3, 2*time.Second, 8*time.Second
	s.Workloads = []Workload{NewWorkload("mutex")}
	cut := 200 * time.Millisecond
	s.Faults = []Fault{{Of: []string{"cut-client"}, At: &cut, On: "c1", For: quantity.Span{Min: time.Second, Max: time.Second}}}
	var mu sync.Mutex
	var all []Status
	_, err := Run(context.Background(), s, RunOptions{Out: t.TempDir(), Status: func(status Status) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, status)
	}})
	if err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	order := []Stage{StageStarting, StageLoad, StageHealing, StageLastRound, StageEnding, StageChecking}
	at, fault, leader := 0, false, false
	for i, status := range all {
		stage := slices.Index(order, status.Stage)
		if stage < at {
			t.Errorf("%s came after %s", status.Stage, order[at])
		}
		at = stage
		fault = fault || slices.Equal(status.Faults, []string{"cut-client c1"})
		leader = leader || status.Leader != ""
		if i > 0 && (status.Operations < all[i-1].Operations || status.Elapsed < all[i-1].Elapsed) {
			t.Errorf("%+v came after %+v", status, all[i-1])
		}
		if status.Planned != s.Duration || len(status.Faults) > 1 {
			t.Errorf("status %+v", status)
		}
	}
	last := all[len(all)-1]
	if !fault || !leader || last.Operations == 0 || last.Elapsed < s.Duration || len(last.Faults) > 0 {
		t.Errorf("a fault under way was told: %t, a leader: %t; the last status: %+v", fault, leader, last)
	}
}

// Of a virtual run, whose clock nobody outside can read, it tells the same.
func TestStatusOfAVirtualRun(t *testing.T) {
	s := SimulatedScenario(workloads.Subject{Name: "mutex"}, 1, Swarm{Duration: 2 * time.Second})
	told := 0
	j, err := Run(t.Context(), s, RunOptions{Out: t.TempDir(), Status: func(status Status) {
		told++
		if status.Elapsed < 0 || status.Elapsed > time.Hour || status.Rate < 0 {
			t.Errorf("status %+v", status)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := Simulate(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if told == 0 || j.Info.Digest != m.Digest.String() {
		t.Errorf("%d statuses; the run is %s with them and %s without", told, j.Info.Digest, m.Digest)
	}
}
