package holdfast

import (
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/workloads"
)

func TestSweepProbe(t *testing.T) {
	for _, name := range []string{"mutex", "rwmutex", "election", "barrier", "double-barrier", "queue", "priority-queue", "mutex-checked", "rwmutex-checked", "election-checked", "locker", "semaphore", "service", "stm-serializable", "kv-register"} {
		r, err := Sweep(t.Context(), func(seed int64) Scenario {
			return SimulatedScenario(workloads.Subject{Name: name}, seed, Swarm{})
		}, SweepOptions{From: 1, To: 300, Limit: 60 * time.Second, Verify: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d runs, %.0f/s, %.0fx, %d ops/run, diverged %v, failed %v", name, r.Runs, r.Rate(), r.Speed(), r.Operations/int64(max(r.Runs, 1)), r.Diverged, r.Failed)
		for _, f := range r.Found {
			t.Logf("   %4d runs, seed %d, after %v: %s", f.Runs, f.Seed, f.After.Round(time.Millisecond), f.Mechanism)
		}
	}
}
