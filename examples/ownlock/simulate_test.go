package ownlock

import (
	"testing"

	"github.com/etcd-holdfast/holdfast"
)

// A hundred random schedules of faults in virtual time, in a few seconds. What is
// found is made small: a scenario with few faults and rounds, which shows the same.
func TestLockInManySchedules(t *testing.T) {
	drawn := func(seed int64) holdfast.Scenario {
		return holdfast.SimulatedScenario(Subject(), seed, holdfast.Swarm{})
	}
	result, err := holdfast.Sweep(t.Context(), drawn, holdfast.SweepOptions{From: 1, To: 100})
	if err != nil {
		t.Fatal(err)
	}
	for seed, err := range result.Failed {
		t.Errorf("seed %d: %v", seed, err)
	}
	for _, found := range result.Found {
		if found.Excused { // known, or a belief that outlived its lease: every lock with leases has these
			t.Logf("%s: seed %d", found.Mechanism, found.Seed)
			continue
		}
		shrunk, err := holdfast.Shrink(t.Context(), found.Smallest[0], found.Mechanism, holdfast.ShrinkOptions{})
		if err != nil {
			t.Fatal(err)
		}
		text, err := shrunk.Scenario.YAML()
		if err != nil {
			t.Fatal(err)
		}
		t.Errorf("%s\n%s\n%s", found.Mechanism, shrunk.Sentence, text)
	}
	t.Logf("%d runs: %s", result.Runs, result.Verdict(false))
}
