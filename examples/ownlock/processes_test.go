package ownlock

import (
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast"
	"github.com/etcd-holdfast/holdfast/quantity"
)

// The lock in clients that are processes of their own, which are killed, and
// stopped for longer than their leases live.
func TestLockInProcesses(t *testing.T) {
	t.Parallel()
	scenario := holdfast.NewScenario("ownlock-processes")
	scenario.Duration = 6 * time.Second
	scenario.Clients.As = holdfast.ClientProcesses
	scenario.Subjects = append(scenario.Subjects, Subject())
	scenario.Workloads = []holdfast.Workload{holdfast.NewWorkload("ownlock")}
	scenario.Faults = []holdfast.Fault{
		{Of: []string{"crash-client"}},
		{Of: []string{"pause-client"}, For: quantity.Span{Min: 2 * time.Second, Max: 3 * time.Second}},
	}
	judgement, err := holdfast.Run(t.Context(), scenario, holdfast.RunOptions{Out: t.ArtifactDir()})
	if err != nil {
		t.Fatal(err)
	}
	if result := judgement.Result(); result.Exit != 0 {
		for _, p := range result.Properties {
			t.Logf("%s: %s: %s", p.Property, p.Verdict, p.Sentence)
		}
		t.Errorf("%s: see %s", result.Verdict, judgement.Directory)
	}
}
