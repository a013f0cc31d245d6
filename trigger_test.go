package holdfast

import (
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/faults"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/quantity"
)

// A run whose faults wait for one event of each family: all of them have their
// moment, at the client to which it happens, and calls say how many requests
// they took. One that waits for what never comes makes the run vacuous.
func TestFaultsHaveTheirMoments(t *testing.T) {
	long(t)
	s := NewScenario("moments")
	s.Duration, s.Clients.Count, s.Seed = 10*time.Second, 3, 1
	s.Workloads = []Workload{NewWorkload("mutex"), NewWorkload("election")}
	on := func(kind, client, event, after, until string) Fault {
		return Fault{
			Of: []string{kind}, For: quantity.Span{Min: 300 * time.Millisecond, Max: 300 * time.Millisecond}, Until: until, Times: 2,
			When: &faults.Trigger{Subject: faults.Names{"mutex", "election"}, Client: client, Event: event, After: after},
		}
	}
	s.Faults = []Fault{
		on("reset-client", "A", "answer Txn", "", ""),
		on("lose-answer", "B", "request Watch", "", "answer WatchEvent"),
		on("revoke-lease", "C", "created", "", ""),
		on("crash-client", "", "session", "lease-ended", ""),
		on("compact", "", "deleted", "crash", ""),
	}
	s.Faults[4].Times = 1
	s.Complete()
	j := run1(t, t.Context(), s)
	fired := make(map[string]int)
	for _, f := range j.Report.History.Faults {
		if f.When == "" || f.Entry == 0 {
			t.Errorf("it does not say for what it waited: %+v", f)
		}
		if !f.Unfired {
			fired[f.When]++
		}
		if f.Error != "" {
			t.Errorf("%+v", f)
		}
	}
	if len(fired) != 10 {
		t.Errorf("of 10 chains these had a moment: %v", fired)
	}
	requests := int64(0)
	for _, op := range j.Report.History.Operations {
		if op.Kind == history.Acquire && op.Outcome == history.Ok && op.Requests == 0 {
			t.Errorf("operation %d of %s acquired without a request", op.ID, op.Client)
		}
		requests += op.Requests
	}
	if requests == 0 {
		t.Error("nobody made a request")
	}
	if j.Result().Exit == checker.ExitViolated {
		t.Error("the run failed")
	}
	if notes := strings.Join(j.Result().Notes, "\n"); strings.Contains(notes, "never had its moment") {
		t.Error(notes)
	}

	s.Duration = 2 * time.Second
	s.Faults = []Fault{on("compact", "B", "signal never", "", "")}
	s.Faults[0].When.Subject = faults.Names{"mutex"}
	s.Complete()
	j = run1(t, t.Context(), s)
	notes := strings.Join(j.Result().Notes, "\n")
	if j.Result().Exit == checker.ExitHolds || !strings.Contains(notes, "fault 1 (compact when client B of mutex: signal never, 1st) never had its moment") {
		t.Errorf("exit %d\n%s", j.Result().Exit, notes)
	}
}
