package reports

import (
	"testing"
	"time"
)

func none(*span) bool { return false }

// TestBarsKeepEverySpan: merging changes how many bars there are, not how many
// spans they stand for, and no bar is wider than a span or four gaps.
func TestBarsKeepEverySpan(t *testing.T) {
	var spans []span
	for i := range 5000 {
		from := time.Duration(i) * 10 * time.Millisecond
		spans = append(spans, span{from: from, to: from + 6*time.Millisecond})
	}
	spans = append(spans, span{from: 50 * time.Second, to: 60 * time.Second})
	s := scale{0, 60 * time.Second}
	previous := len(spans) + 1
	for _, gap := range []float64{0, 1, 4, 16} {
		all := bars(spans, s, gap, none)
		count := 0
		for i, b := range all {
			count += b.count
			if width := b.to - b.from; gap > 0 && width > 4*gap && b.count > 1 {
				t.Errorf("gap %g: a bar is %g wide", gap, width)
			}
			if i > 0 && b.from < all[i-1].to {
				t.Errorf("gap %g: bars overlap", gap)
			}
		}
		if count != len(spans) {
			t.Errorf("gap %g: bars stand for %d spans, want %d", gap, count, len(spans))
		}
		if len(all) >= previous {
			t.Errorf("gap %g: %d bars, want fewer than %d", gap, len(all), previous)
		}
		previous = len(all)
	}
}

func TestChooseGapStaysWithinTheBudget(t *testing.T) {
	s := scale{0, 1000 * time.Second}
	var all [][]span
	for range 200 {
		var spans []span
		for i := range 590 {
			spans = append(spans, span{from: time.Duration(i) * time.Second, to: time.Duration(i)*time.Second + time.Millisecond})
		}
		all = append(all, spans)
	}
	total := 0
	gap := chooseGap(all, s, openBudget)
	for _, spans := range all {
		total += len(bars(spans, s, gap, none))
	}
	if total > openBudget || gap == 0 {
		t.Errorf("%d bars with a gap of %g, want at most %d", total, gap, openBudget)
	}
	if gap := chooseGap(all[:1], s, openBudget); gap != 0 {
		t.Errorf("one lane that is not crowded is merged with a gap of %g", gap)
	}
}
