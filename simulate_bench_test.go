package holdfast

import (
	"testing"
	"time"
)

func shape(seed int64) Scenario {
	s := NewScenario("shape")
	s.Cluster.Kind, s.Cluster.Members = simulated, 1
	s.Seed = seed
	s.Duration, s.Quiet = 10*time.Second, 15*time.Second
	s.Clients.Count, s.Clients.TTL = 5, 10*time.Second
	w := NewWorkload("mutex")
	w.Objects = 3
	w.Hold, w.Think = span(100, 1000), span(500, 3000)
	s.Workloads = []Workload{w}
	s.Faults = []Fault{{Of: []string{"cut-client", "stall-client", "crash-client"}, Every: span(2000, 4000), For: span(1000, 4000)}}
	return s
}

func BenchmarkSimulate(b *testing.B) {
	var virtual time.Duration
	ops := 0
	for i := range b.N {
		m, err := Simulate(b.Context(), shape(int64(i+1)))
		if err != nil {
			b.Fatal(err)
		}
		virtual += m.Virtual
		ops += len(m.History.Operations)
	}
	b.ReportMetric(virtual.Seconds()/float64(b.N), "virtual-s/op")
	b.ReportMetric(float64(ops)/float64(b.N), "ops/run")
}
