package holdfast

import (
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads"
)

func BenchmarkSwarm(b *testing.B) {
	for _, name := range []string{"mutex", "election"} {
		b.Run(name, func(b *testing.B) {
			for i := range b.N {
				if _, err := Simulate(b.Context(), SimulatedScenario(workloads.Subject{Name: name}, int64(i%100+1), Swarm{})); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
