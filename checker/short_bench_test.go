package checker

import (
	"testing"

	"github.com/etcd-holdfast/holdfast/history"
)

// shortRuns are runs of the ideal service of about 200 operations each.
func shortRuns(primitive history.Primitive) []*history.History {
	var runs []*history.History
	for seed := uint64(0); len(runs) < 20; seed++ {
		s := simulate(seed, primitive)
		n := len(s.records)
		if h := s.cut(n, n, s.layout()); len(h.Operations) >= 150 && len(h.Operations) <= 250 {
			runs = append(runs, h)
		}
	}
	return runs
}

// BenchmarkCheckShort judges runs that are short, as where thousands are judged
// a second; the figures are for one run.
func BenchmarkCheckShort(b *testing.B) {
	for _, primitive := range primitives {
		runs := shortRuns(primitive)
		operations, changes, faults := 0, 0, 0
		for _, h := range runs {
			operations, changes, faults = operations+len(h.Operations), changes+len(h.Revisions.Changes), faults+len(h.Faults)
		}
		for name, o := range map[string]Options{"confirmed": {}, "unconfirmed": {Unconfirmed: true}} {
			b.Run(string(primitive)+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					Check(runs[i%len(runs)], o)
				}
				b.ReportMetric(float64(operations)/float64(len(runs)), "operations")
				b.ReportMetric(float64(changes)/float64(len(runs)), "changes")
				b.ReportMetric(float64(faults)/float64(len(runs)), "faults")
			})
		}
	}
}
