package holdfast

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/faults"
	"github.com/etcd-holdfast/holdfast/quantity"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// Clients that go on with their session after a lost answer show what it left
// behind: the mutex's key, behind which others wait in vain. The corrected
// subjects take theirs away, and nothing is wrong with them.
func TestClientsThatKeepTheirSessionShowWhatALostAnswerLeaves(t *testing.T) {
	long(t)
	s := NewScenario("keep-session")
	s.Seed, s.Duration, s.Cluster.Members = 3, 12*time.Second, 1
	s.Clients.TTL = 5 * time.Second
	var subjects faults.Names
	for _, name := range []string{"mutex", "mutex-checked", "rwmutex-checked", "election-checked", "semaphore", "service"} {
		w := NewWorkload(name)
		w.Clients, w.Objects, w.Observers, w.KeepSession = 6, 4, 0, 1
		w.Long, w.Impatient, w.Try, w.Several = 0, 0, 0, 0
		w.Hold = quantity.Span{Min: 10 * time.Millisecond, Max: 50 * time.Millisecond}
		w.Think = quantity.Span{Min: 100 * time.Millisecond, Max: 600 * time.Millisecond}
		w.Patience = quantity.Span{Min: 2 * time.Second, Max: 2500 * time.Millisecond}
		s.Workloads = append(s.Workloads, w)
		subjects = append(subjects, name)
	}
	lost := Fault{Of: []string{"reset-client"}, Times: 10, When: &faults.Trigger{Subject: subjects[:3], Event: "answer Txn", After: "call acquire"}}
	campaigns := lost
	campaigns.When = &faults.Trigger{Subject: subjects[3:4], Event: "answer Txn", After: "call campaign"}
	s.Faults = []Fault{
		lost, campaigns,
		{Of: []string{"lose-answer"}, Every: quantity.Span{Min: 300 * time.Millisecond, Max: 800 * time.Millisecond}, For: quantity.Span{Min: 2500 * time.Millisecond, Max: 3 * time.Second}},
	}
	j := run1(t, t.Context(), s)
	if p := property(t, j, "mutex", "leftovers"); p.Verdict != checker.Violated || !known(p, "lost-lock-keeps-key") {
		t.Errorf("the mutex's leftovers: %s", p.Sentence)
	}
	for _, p := range j.Result().Properties {
		if p.Verdict == checker.Violated && p.Subject != "mutex" {
			t.Errorf("%s of %s: %s", p.Property, p.Subject, p.Sentence)
		}
	}
}

// What a run did can be written out and done again, whatever the seed.
func TestARunIsDoneAgainFromItsExplicitScenario(t *testing.T) {
	t.Parallel()
	long(t)
	s := NewScenario("again")
	s.Seed, s.Duration, s.Cluster.Members = 4, 3*time.Second, 1
	w := NewWorkload("mutex")
	w.Clients = 3
	s.Workloads = []Workload{w}
	s.Faults = []Fault{{Of: []string{"crash-client", "cut-client"}, Every: quantity.Span{Min: 500 * time.Millisecond, Max: 900 * time.Millisecond}, For: quantity.Span{Min: 200 * time.Millisecond, Max: 400 * time.Millisecond}}}
	first := run1(t, t.Context(), s)
	if n := len(first.Info.Rounds); n < 3 {
		t.Errorf("rounds of only %d clients were counted: %v", n, first.Info.Rounds)
	}
	x := first.Scenario.Explicit(first.Info.Rounds)
	x.Seed = 99
	again := run1(t, t.Context(), x)
	if a, b := first.Scenario.Plan(), again.Scenario.Plan(); len(a) == 0 || len(a) != len(b) {
		t.Errorf("%d faults, and then %d", len(a), len(b))
	}
	checkAsked(t, again, first.Scenario.Seed, &first.Scenario.Workloads[0].Traffic)
	for client, n := range again.Info.Rounds {
		if n > first.Info.Rounds[client] {
			t.Errorf("%s made %d rounds, and %d before", client, n, first.Info.Rounds[client])
		}
	}
	if len(again.Info.Rounds) < 3 {
		t.Errorf("%v", slices.Collect(maps.Keys(again.Info.Rounds)))
	}
}

// checkAsked demands that what each client asked for until the heal is what a
// seed decides.
func checkAsked(t *testing.T, j *Judgement, seed int64, traffic *workloads.Traffic) {
	t.Helper()
	asked := make(map[string][]string)
	healed, _ := j.Report.History.Phase("healed")
	for i := range j.Report.History.Operations {
		if op := &j.Report.History.Operations[i]; op.Kind.Acquires() && op.Call < healed {
			asked[op.Client] = append(asked[op.Client], op.Object)
		}
	}
	for client, objects := range asked {
		decide := workloads.Decisions(seed, client, traffic)
		var decided []string
		for range j.Info.Rounds[client] {
			for _, object := range decide().Objects {
				decided = append(decided, string(rune('0'+object)))
			}
		}
		if !subsequence(objects, decided) {
			t.Errorf("%s asked for %v, and was to ask for %v", client, objects, decided)
		}
	}
}
