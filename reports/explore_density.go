package reports

import "slices"

// levels is how finely a density is told.
const levels = 16

// density adds for every lane and moment which share of it was held, and which
// share waited for: two numbers below levels in one.
func (e *explorer) density(moments int) {
	lanes := 0
	for _, o := range e.index.objects {
		lanes += len(o.lanes)
	}
	if lanes == 0 {
		return
	}
	if moments = min(moments, maxCells/lanes); moments < 50 {
		return
	}
	e.head.Moments = moments
	held, waited := make([]float64, moments), make([]float64, moments)
	for place, o := range e.index.objects {
		for _, l := range o.lanes {
			e.head.Lanes = append(e.head.Lanes, [2]int{place, e.client(l.client)})
			clear(held)
			clear(waited)
			e.fill(held, l.holds)
			e.fill(waited, l.waits)
			for m := range moments {
				e.columns.b = append(e.columns.b, level(held[m])*levels+level(waited[m]))
			}
		}
	}
}

// fill adds to each moment the share of it that spans cover.
func (e *explorer) fill(shares []float64, spans []span) {
	length := float64(e.head.End) / float64(len(shares))
	last := len(shares) - 1
	for i := range spans {
		from, to := float64(micros(spans[i].from))/length, float64(micros(spans[i].to))/length
		for m := min(int(from), last); m <= min(int(to), last); m++ {
			shares[m] += max(0, min(to, float64(m+1))-max(from, float64(m)))
			if from == to {
				shares[m] += 1e-6 // something, though it took no time
			}
		}
	}
}

// level is a share as a number below levels; 0 is nothing at all.
func level(share float64) byte {
	if share <= 0 {
		return 0
	}
	return byte(slices.Max([]int{1, min(int(share*(levels-1)+.5), levels-1)}))
}
