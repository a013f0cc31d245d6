package checker

import (
	"sort"
	"time"
)

// reign is a stretch of revisions during which an election's leader value did
// not change. It begins at revision from, which happened within [earliest,
// latest], and lasts until the next one's.
type reign struct {
	from             int64
	earliest, latest time.Duration
	value            string
	key              string
	create           int64 // zero: nobody leads
}

// reigns returns the sequence of an object's leader values, from the state in
// which nobody leads; the log must have no gaps.
func (r *record) reigns(ob *object) []reign {
	if ob.reigned != nil {
		return ob.reigned
	}
	n := 1
	for i := range ob.tenures {
		n += len(ob.tenures[i].Values) + 1
	}
	all := make([]reign, 1, n)
	add := func(g reign) {
		g.earliest, g.latest = r.log.Earliest(g.from), r.log.Latest(g.from)
		if last := &all[len(all)-1]; last.from == g.from && len(all) > 1 {
			*last = g // the next leader follows at the revision of the last one's end
			return
		}
		all = append(all, g)
	}
	for i := range ob.tenures {
		t := &ob.tenures[i]
		if t.owns > r.through || t.neverOwned() {
			continue
		}
		// The value that it has when its turn comes, then each one put later.
		at := sort.Search(len(t.Values), func(k int) bool { return t.Values[k].Revision > t.owns }) - 1
		for k := max(at, 0); k < len(t.Values); k++ {
			add(reign{from: max(t.owns, t.Values[k].Revision), value: t.Values[k].Value, key: t.Key, create: t.Create})
		}
		if t.Delete != 0 {
			add(reign{from: t.Delete})
		}
	}
	ob.reigned = all
	return all
}
