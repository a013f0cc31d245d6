//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

// Everything that can be a process is one, and some of them stand still.
const everythingIsAProcess = `
name: killed
duration: 30s
cluster: {kind: process}
clients: {count: 3, as: processes}
workloads:
  - {subject: mutex}
  - {subject: says-yes, clients: 2, pipe: 'sleep 1000 & while read -r line; do printf "{\"id\":%s,\"ok\":true,\"primitive\":\"mutex\"}\n" "$(echo "$line" | sed "s/.*\"id\":\([0-9]*\).*/\1/")"; done'}
faults:
  - {every: 200ms..400ms, for: 200ms..1s, of: [pause-client]}
  - {every: 300ms..600ms, for: 200ms..1s, of: [pause-member, restart-member]}
`

// However far a run has come when it is killed with SIGKILL, none of its processes
// lives on, and its directory, if there is one yet, can be judged.
func TestKilledRunLeavesNoProcess(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	times := 6
	if testing.Short() {
		times = 2
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for i := range times {
		after := time.Duration(random.Int64N(int64(6 * time.Second)))
		directory := t.TempDir()
		scenario := filepath.Join(directory, "killed.yaml")
		if err := os.WriteFile(scenario, []byte(everythingIsAProcess), 0o600); err != nil {
			t.Fatal(err)
		}
		var said bytes.Buffer
		cmd := &exec.Cmd{Path: self, Args: []string{"holdfast", "run", scenario, "--seed", fmt.Sprint(i + 1), "--out", directory}, Stderr: &said}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		timer := time.NewTimer(after) // the moment is what is random
		select {
		case err := <-ended:
			t.Fatalf("the run ended by itself before %v: %v\n%s", after, err, said.String())
		case <-timer.C:
		}
		before := ofHarness(t, 0, cmd.Process.Pid)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-ended
		killed := time.Now()
		for left := before; len(left) > 0; left = ofHarness(t, cmd.Process.Pid, 0) {
			if time.Since(killed) > 30*time.Second {
				t.Fatalf("killed after %v, and this lives on: %v\n%s", after, left, said.String())
			}
		}
		t.Logf("killed after %v with %d processes, of which none lived after %v", after, len(before), time.Since(killed))
		runs, err := filepath.Glob(filepath.Join(directory, "*-killed-*"))
		if err != nil || len(runs) == 0 {
			continue
		}
		var out bytes.Buffer
		if code := execute(context.Background(), []string{"check", runs[0]}, &out, &out); code != 1 && code != 2 {
			t.Errorf("killed after %v: the directory was judged with exit code %d\n%s", after, code, out.String())
		}
	}
}

// ofHarness lists the processes of a harness that is dead, or the children of one
// that lives.
func ofHarness(t *testing.T, dead, alive int) []string {
	t.Helper()
	var found []string
	if alive != 0 {
		tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", alive))
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range tasks {
			children, err := os.ReadFile(task)
			if err != nil {
				continue // a thread that has ended
			}
			for _, child := range bytes.Fields(children) {
				found = append(found, string(child))
			}
		}
		return found
	}
	left, err := offspring.Leftovers()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range left {
		if l.Harness == dead {
			found = append(found, l.Command)
		}
	}
	return found
}
