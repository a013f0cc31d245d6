package reports

import "github.com/etcd-holdfast/holdfast/history"

// faultCounts is what became of faults.
type faultCounts struct {
	// Those that were injected, with and without evidence.
	verified, unverified int
	// Those that were not: their moment never came, or they could not be.
	unfired, uninjected int
	// Those of the first two that could not be healed.
	unhealed int
}

func (c *faultCounts) count(f *history.Fault) {
	switch {
	case f.Unfired:
		c.unfired++
	case f.Uninjected, !injected(f):
		c.uninjected++
	case f.Verified:
		c.verified++
	default:
		c.unverified++
	}
	if f.Error != "" {
		c.unhealed++
	}
}

func countFaults(h *history.History) faultCounts {
	var c faultCounts
	for i := range h.Faults {
		c.count(&h.Faults[i])
	}
	return c
}
