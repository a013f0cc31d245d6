package holdfast

import (
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// BenchmarkSimulate is one run of the first kind that internal/simbench counts a
// second of, recorded and judged. To see where its time goes:
//
//	go test -run '^$' -bench Simulate -cpuprofile cpu.out .
func BenchmarkSimulate(b *testing.B) {
	s := NewScenario("bench")
	s.Cluster.Kind, s.Cluster.Members = simulated, 1
	s.Duration, s.Quiet = 15*time.Second, 30*time.Second
	s.Clients.Count, s.Clients.TTL, s.Clients.OnLoss = 5, 10*time.Second, workloads.Mixed
	w := NewWorkload("mutex")
	w.Objects = 3
	w.Hold, w.Long, w.Think = span(50, 1000), 0, span(1000, 5000)
	s.Workloads = []Workload{w}
	s.Faults = []Fault{{
		Of:    []string{"cut-client", "stall-client", "lose-answer", "crash-client", "revoke-lease", "pause-client"},
		Every: span(2000, 4000), For: span(500, 5000),
	}}
	var virtual time.Duration
	operations := 0
	for b.Loop() {
		s.Seed++
		m, err := Simulate(b.Context(), s)
		if err != nil {
			b.Fatal(err)
		}
		virtual += m.Virtual
		operations += len(m.History.Operations)
	}
	b.ReportMetric(virtual.Seconds()/float64(b.N), "virtual-s/op")
	b.ReportMetric(float64(operations)/float64(b.N), "operations/op")
}
