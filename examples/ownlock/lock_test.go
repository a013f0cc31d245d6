package ownlock

import (
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast"
)

func TestLockUnderFaults(t *testing.T) {
	t.Parallel()
	scenario := holdfast.NewScenario("ownlock")
	scenario.Duration = 6 * time.Second
	scenario.Subjects = append(scenario.Subjects, Subject())
	scenario.Workloads = []holdfast.Workload{holdfast.NewWorkload("ownlock")}
	scenario.Faults = []holdfast.Fault{{Of: []string{"cut-client", "crash-client", "revoke-lease"}}, {Of: []string{"isolate-leader"}}}
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
