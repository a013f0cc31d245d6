package holdfast

import (
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/quantity"
	"github.com/etcd-holdfast/holdfast/workloads"
)

func benchShape(seed int64) Scenario {
	sp := func(a, b time.Duration) quantity.Span { return quantity.Span{Min: a, Max: b} }
	r := NewScenario("bench")
	r.Seed = seed
	r.Cluster.Kind, r.Cluster.Members = "sim", 1
	r.Duration, r.Quiet = 15*time.Second, 30*time.Second
	r.Clients.Count, r.Clients.TTL, r.Clients.OnLoss = 5, 10*time.Second, workloads.Mixed
	w := NewWorkload("mutex")
	w.Objects = 3
	w.Hold, w.Long, w.Think = sp(50*time.Millisecond, time.Second), 0, sp(time.Second, 5*time.Second)
	r.Workloads = []Workload{w}
	r.Faults = []Fault{{Of: []string{"cut-client", "stall-client", "lose-answer", "crash-client", "revoke-lease", "pause-client"}, Every: sp(2*time.Second, 4*time.Second), For: sp(500*time.Millisecond, 5*time.Second)}}
	return r
}

func BenchmarkShape(b *testing.B) {
	for i := range b.N {
		if _, err := Simulate(b.Context(), benchShape(int64(i+1))); err != nil {
			b.Fatal(err)
		}
	}
}
