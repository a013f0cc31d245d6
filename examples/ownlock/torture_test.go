package ownlock

import (
	"testing"

	"github.com/etcd-holdfast/holdfast"
)

// The scenario that finds holdfast's planted bugs, on a lock of one's own.
func TestLockUnderTorture(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it takes half a minute")
	}
	judgement, err := holdfast.Run(t.Context(), holdfast.TortureScenario(Subject()), holdfast.RunOptions{Out: t.ArtifactDir()})
	if err != nil {
		t.Fatal(err)
	}
	if result := judgement.Result(); result.Exit == 1 {
		for _, p := range result.Properties {
			t.Logf("%s: %s: %s", p.Property, p.Verdict, p.Sentence)
		}
		t.Errorf("%s: see %s", result.Verdict, judgement.Directory)
	}
}
