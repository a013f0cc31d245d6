package checker

import (
	"cmp"
	"slices"
	"time"
)

// pauseClient is the kind of fault by which a client stands still.
const pauseClient = "pause-client"

// awake is how much of an interval a client did not stand still: nobody can be
// late, or be told of anything, while it does. Pauses that were not seen to have
// an effect count as none.
func (r *record) awake(client string, from, to time.Duration) time.Duration {
	if to <= from {
		return 0
	}
	if r.pauses == nil {
		r.pauses = r.standstills()
	}
	awake := to - from
	for _, p := range r.pauses[client] {
		if p.to > from && p.from < to {
			awake -= min(p.to, to) - max(p.from, from)
		}
	}
	return awake
}

// standstill is when a client stood still.
type standstill struct{ from, to time.Duration }

// standstills are, by client, all of them in their order, none touching another.
func (r *record) standstills() map[string][]standstill {
	all := make(map[string][]standstill)
	for i := range r.h.Faults {
		f := &r.h.Faults[i]
		if f.Kind != pauseClient || !f.Verified {
			continue
		}
		s := standstill{f.From, f.To}
		if f.To == 0 {
			s.to = r.h.End
		}
		all[f.Target] = append(all[f.Target], s)
	}
	for client, list := range all {
		slices.SortFunc(list, func(a, b standstill) int { return cmp.Compare(a.from, b.from) })
		apart := list[:1]
		for _, s := range list[1:] {
			if last := &apart[len(apart)-1]; s.from <= last.to {
				last.to = max(last.to, s.to)
			} else {
				apart = append(apart, s)
			}
		}
		all[client] = apart
	}
	return all
}
