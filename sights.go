package holdfast

import (
	"cmp"
	"slices"

	"github.com/etcd-holdfast/holdfast/history"
)

// In a store that the run has to itself every revision is one of the run's, and one
// that nobody saw is missing. In a shared one a revision of which nothing was seen is
// mostly somebody else's. What tells is etcd's promise of a watch: it shows all
// changes below its prefix, in their order, from where it began. So a watch has
// missed only what it was told that it cannot have any more (a compaction), and what
// it has not come to yet.

// sight is how much of a shared store the watch at one member has seen: everything
// before revision next, but for what it has missed.
type sight struct {
	next   int64
	missed []history.Gap
}

// missed notes what the watch at a member will not show any more.
func (o *observer) missed(member int, g history.Gap) {
	if !o.shared {
		return // the revisions themselves show it
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sights[member].missed = append(o.sights[member].missed, g)
	o.sights[member].next = g.Through + 1
	o.journal.Missed(g)
}

// journalGaps notes what no watch has seen of a shared store, as far as the log goes.
func (o *observer) journalGaps(through int64) {
	if !o.shared {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, g := range unseen(o.sights, through) {
		o.journal.Gap(g)
	}
}

// unseen are the revisions up to through that none of the sights has.
func unseen(sights []sight, through int64) []history.Gap {
	var all []history.Gap
	for i, s := range sights {
		missed := slices.Clone(s.missed)
		if s.next <= through {
			missed = append(missed, history.Gap{From: s.next, Through: through})
		}
		if i == 0 {
			all = missed
			continue
		}
		var both []history.Gap
		for _, a := range all {
			for _, b := range missed {
				if g := (history.Gap{From: max(a.From, b.From), Through: min(a.Through, b.Through)}); g.From <= g.Through {
					both = append(both, g)
				}
			}
		}
		all = both
	}
	slices.SortFunc(all, func(a, b history.Gap) int { return cmp.Compare(a.From, b.From) })
	return all
}
