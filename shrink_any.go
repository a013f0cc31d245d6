package holdfast

import (
	"cmp"
	"context"
	"time"
)

// ShrinkAny shrinks one of several scenarios that show the same mechanism, and
// returns the smallest result: the first that is small, or the best of all. Each
// has its share of the limit, with what those before it left. A run from which
// nothing small can be made is no rarity: what can go depends on when things
// happen in it.
func ShrinkAny(ctx context.Context, scenarios []Scenario, mechanism string, o ShrinkOptions) (*Shrunk, error) {
	var best *Shrunk
	left := cmp.Or(o.Limit, shrinkLimit)
	simulations, took := 0, time.Duration(0)
	for i, s := range scenarios {
		o.Limit = left / time.Duration(len(scenarios)-i)
		r, err := Shrink(ctx, s, mechanism, o)
		if err != nil && (best == nil || ctx.Err() == nil) {
			return nil, err
		}
		if err != nil {
			break
		}
		simulations, took, left = simulations+r.Simulations, took+r.Took, left-r.Took
		if best == nil || r.smaller(best) {
			best = r
		}
		if best.small() || left < shrinkLimit/10 || ctx.Err() != nil {
			break
		}
	}
	if best != nil {
		best.Simulations, best.Took = simulations, took
	}
	return best, nil
}

// small is true of what one can keep in mind.
func (r *Shrunk) small() bool { return !r.NeedsSeed && r.After.Faults <= 3 && r.After.Clients <= 3 }

// smaller is true if r says more plainly what another does, too.
func (r *Shrunk) smaller(than *Shrunk) bool {
	if r.small() != than.small() {
		return r.small()
	}
	if r.NeedsSeed != than.NeedsSeed {
		return than.NeedsSeed
	}
	parts := func(s *Shrunk) int { return s.After.Faults + s.After.Clients + s.After.Rounds }
	return parts(r) < parts(than)
}
