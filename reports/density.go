package reports

import (
	"fmt"
	"time"
)

// bar is one drawn bar, for count spans.
type bar struct {
	from, to float64
	count    int
	first    *span
	last     *span
	covered  time.Duration // the spans' lengths together
}

// title is the bar's tooltip.
func (b *bar) title(one func(*span) string, many string) string {
	if b.count == 1 {
		return one(b.first)
	}
	return fmt.Sprintf("%d %s, %.2f–%.2f s, %d %% of it", b.count, many, b.first.from.Seconds(), b.last.to.Seconds(), int(100*b.share()))
}

// share is how much of the bar's time the spans fill.
func (b *bar) share() float64 {
	return min(1, float64(b.covered)/float64(max(b.last.to-b.first.from, 1)))
}

// opacity tells how much is in a bar that stands for several spans.
func (b *bar) opacity() float64 {
	if b.count == 1 {
		return 1
	}
	return 0.3 + 0.7*b.share()
}

// bars makes spans, ordered by from, into bars. With gap > 0, neighbours
// closer than gap become one bar, up to four gaps wide, so that a busy lane
// still shows where it was busier. Spans that keep wants stay out of it.
func bars(spans []span, s scale, gap float64, keep func(*span) bool) []bar {
	var out []bar
	merge(spans, s, gap, keep, func(b bar) { out = append(out, b) })
	return out
}

// merge calls each for every bar of bars.
func merge(spans []span, s scale, gap float64, keep func(*span) bool, each func(bar)) {
	var open bar
	for i := range spans {
		p := &spans[i]
		if !s.shows(p.from, p.to) || keep(p) {
			continue
		}
		from, to := s.x(p.from), s.x(p.to)
		if gap > 0 && open.count > 0 && from-open.to < gap && max(to, open.to)-open.from <= 4*gap {
			open.to, open.last = max(to, open.to), p
			open.count++
			open.covered += p.to - p.from
			continue
		}
		if open.count > 0 {
			each(open)
		}
		open = bar{from: from, to: to, count: 1, first: p, last: p, covered: p.to - p.from}
	}
	if open.count > 0 {
		each(open)
	}
}

const (
	crowded = 600 // more bars than this in a lane cannot be told apart

	// How many bars all pictures of the whole run have together: those that
	// the page shows at once, and those to be unfolded.
	openBudget   = 6000
	foldedBudget = 6000
)

// chooseGap is the smallest gap with which all lanes together stay within
// budget; zero merges only crowded lanes.
func chooseGap(all [][]span, s scale, budget int) float64 {
	none := func(*span) bool { return false }
	for gap := 0.0; ; gap = max(1, 1.4*gap) {
		total := 0
		for _, spans := range all {
			if g := laneGap(len(spans), gap); g == 0 {
				total += len(spans)
			} else {
				merge(spans, s, g, none, func(bar) { total++ })
			}
		}
		if total <= budget || gap > rightMargin-gutter {
			return gap
		}
	}
}

// laneGap is the gap for a lane of n spans.
func laneGap(n int, gap float64) float64 {
	if n > crowded {
		return max(gap, 1)
	}
	return gap
}
