package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/etcd-holdfast/holdfast"
	"github.com/etcd-holdfast/holdfast/checker"
)

// What no run can be made of is the harness's fault, and is said by seed; what was
// found beside it comes first.
func TestSweepsWithFailedRunsSaySo(t *testing.T) {
	failed := map[int64]error{3: errors.New("it stood still")}
	r := &holdfast.SweepResult{Runs: 2, Failed: failed}
	if code := sweepExit(r, holdfast.SweepOptions{}); code != checker.ExitInternal {
		t.Errorf("exit %d with a run that failed", code)
	}
	var out strings.Builder
	if err := printSweep(&out, r, holdfast.SweepOptions{}, "again"); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "seed 3 could not be run: it stood still") {
		t.Errorf("printed: %s", out.String())
	}
	r.Found = []holdfast.Found{{Runs: 1, Seed: 1}}
	if code := sweepExit(r, holdfast.SweepOptions{}); code != checker.ExitViolated {
		t.Errorf("exit %d with a run that failed and a mechanism that nobody knows", code)
	}
}
