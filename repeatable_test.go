package holdfast

import (
	"fmt"
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// TestSameSeedSameDigest repeats runs in which something had differed once: the
// watches of an observer that are resumed in the order of a map, the bubble's
// number in the stack of a panic, a watch that had ended when its stream was resumed,
// the last client's goodbye beside the final phase. The race detector shows more of
// that than anything else.
func TestSameSeedSameDigest(t *testing.T) {
	for subject, seeds := range map[string][]int64{
		"election": {3, 57, 68, 82, 120}, "mutex": {7}, "mutex-checked": {250}, "semaphore": {1}, "queue": {32}, "priority-queue": {32}, "stm-serializable": {112},
	} {
		for _, seed := range seeds {
			t.Run(fmt.Sprintf("%s/%d", subject, seed), func(t *testing.T) {
				t.Parallel()
				var first *Simulation
				for range 4 {
					m, err := Simulate(t.Context(), SimulatedScenario(workloads.Subject{Name: subject}, seed, Swarm{}))
					if err != nil {
						t.Fatal(err)
					}
					if first == nil {
						first = m
					}
					if m.Digest != first.Digest {
						t.Fatalf("seed %d of %s recorded %v, and then %v", seed, subject, first.Digest, m.Digest)
					}
				}
			})
		}
	}
}
