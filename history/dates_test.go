package history

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestDatesAreWhatTheyMean compares the bounds with their definition, in logs
// whose revisions are dense and in such as have wide gaps.
func TestDatesAreWhatTheyMean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.SampledFrom([]int64{1, 5, 40, 100, 1_000_000}).Draw(t, "width")
		revision := rapid.Int64Range(1, width)
		if rapid.IntRange(0, 4).Draw(t, "hostile") == 0 {
			revision = rapid.SampledFrom([]int64{math.MinInt64, -1, 0, 1, math.MaxInt64 - 1, math.MaxInt64})
		}
		moment := rapid.Map(rapid.IntRange(-3, 50), func(n int) time.Duration { return time.Duration(n) })
		var changes []Change
		for range rapid.IntRange(0, 20).Draw(t, "changes") {
			changes = append(changes, Change{Revision: revision.Draw(t, "revision"), Time: moment.Draw(t, "time"), Key: "k"})
		}
		var ticks []Tick
		for range rapid.IntRange(0, 20).Draw(t, "ticks") {
			ticks = append(ticks, Tick{Call: moment.Draw(t, "call"), Return: moment.Draw(t, "return"), Revision: revision.Draw(t, "revision")})
		}
		log := NewRevisionLog(1, 0, changes, nil, ticks, nil)
		for r := range near(changes, ticks) {
			earliest, latest, dated := time.Duration(0), Never, false
			for _, c := range log.Changes {
				if c.Revision >= r {
					latest = min(latest, c.Time)
				}
			}
			for _, k := range ticks {
				if k.Revision >= r {
					latest = min(latest, k.Return)
				} else if !dated || k.Call > earliest {
					earliest, dated = k.Call, true
				}
			}
			if log.Earliest(r) != earliest || log.Latest(r) != latest {
				t.Fatalf("rev %d is within [%d, %d], want [%d, %d]", r, log.Earliest(r), log.Latest(r), earliest, latest)
			}
		}
	})
}

func near(changes []Change, ticks []Tick) map[int64]bool {
	all := map[int64]bool{math.MinInt64: true, -1: true, 0: true, 1: true, math.MaxInt64: true}
	for _, c := range changes {
		all[c.Revision-1], all[c.Revision], all[c.Revision+1] = true, true, true
	}
	for _, k := range ticks {
		all[k.Revision-1], all[k.Revision], all[k.Revision+1], all[k.Revision+2] = true, true, true, true
	}
	return all
}
