package answers

import (
	"encoding/json"
	"slices"
	"time"
)

// Quantiles are the nearest-rank percentiles of some times: each is one of
// them. All are zero if there are none. As JSON they are milliseconds.
type Quantiles struct {
	P50, P90, P99, Max time.Duration
}

func quantilesOf(times []time.Duration) Quantiles {
	if len(times) == 0 {
		return Quantiles{}
	}
	sorted := slices.Sorted(slices.Values(times))
	rank := func(percent int) time.Duration {
		n := (percent*len(sorted) + 99) / 100 // rounded up: counted from one
		return sorted[max(n, 1)-1]
	}
	return Quantiles{P50: rank(50), P90: rank(90), P99: rank(99), Max: sorted[len(sorted)-1]}
}

// MarshalJSON writes milliseconds.
func (q Quantiles) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		P50 float64 `json:"p50_ms"`
		P90 float64 `json:"p90_ms"`
		P99 float64 `json:"p99_ms"`
		Max float64 `json:"max_ms"`
	}{milliseconds(q.P50), milliseconds(q.P90), milliseconds(q.P99), milliseconds(q.Max)})
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// percent is the share of part in whole, zero if there is no whole.
func percent(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}
