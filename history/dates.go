package history

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// dates bound the time of every revision. Revisions are dense as a rule: then
// bounds are looked up by number. The last ones are of all later revisions.
type dates struct {
	// first is the revision of the first bounds, unless there are points: those
	// are the revisions of the bounds then, and rise.
	first  int64
	points []int64
	bounds []bounds
}

// bounds are those of one revision.
type bounds struct{ earliest, latest time.Duration }

// dated takes the bounds from when changes were seen and what ticks found.
func dated(changes []Change, ticks []Tick) dates {
	low, high := int64(math.MaxInt64), int64(math.MinInt64)
	within := func(revision int64) { low, high = min(low, revision), max(high, revision) }
	for i := range changes {
		within(changes[i].Revision)
	}
	for i := range ticks {
		within(ticks[i].Revision)
	}
	if low > high {
		return dates{}
	}
	d := dates{first: low}
	number := len(changes) + 2*len(ticks)
	if span := uint64(high) - uint64(low); span < uint64(2*number+64) {
		d.bounds = make([]bounds, span+2)
	} else {
		d.points = make([]int64, 0, number)
		for i := range changes {
			d.points = append(d.points, changes[i].Revision)
		}
		for i := range ticks {
			d.points = append(d.points, ticks[i].Revision)
			if next := ticks[i].Revision + 1; next > ticks[i].Revision {
				d.points = append(d.points, next)
			}
		}
		slices.Sort(d.points)
		d.points = slices.Compact(d.points)
		d.bounds = make([]bounds, len(d.points)+1)
	}
	const none = time.Duration(math.MinInt64)
	for i := range d.bounds {
		d.bounds[i] = bounds{none, Never}
	}
	for i := range changes {
		b := &d.bounds[d.place(changes[i].Revision)]
		b.latest = min(b.latest, changes[i].Time)
	}
	for i := range ticks {
		k := d.place(ticks[i].Revision)
		b, next := &d.bounds[k], &d.bounds[k+1]
		b.latest, next.earliest = min(b.latest, ticks[i].Return), max(next.earliest, ticks[i].Call)
	}
	for i := 1; i < len(d.bounds); i++ {
		d.bounds[i].earliest = max(d.bounds[i].earliest, d.bounds[i-1].earliest)
	}
	for i := len(d.bounds) - 2; i >= 0; i-- {
		d.bounds[i].latest = min(d.bounds[i].latest, d.bounds[i+1].latest)
	}
	for i := range d.bounds {
		if b := &d.bounds[i]; b.earliest == none {
			b.earliest = 0
		}
	}
	return d
}

// place is the index of the first bounds of revision r or a later one.
func (d *dates) place(r int64) int {
	if d.points == nil {
		if r <= d.first {
			return 0
		}
		return int(min(uint64(r)-uint64(d.first), uint64(len(d.bounds)-1)))
	}
	k, _ := slices.BinarySearchFunc(d.points, r, cmp.Compare[int64])
	return k
}

// Earliest is a time before which revision r cannot have happened.
func (log *RevisionLog) Earliest(r int64) time.Duration {
	d := &log.dates
	if len(d.bounds) == 0 {
		return 0
	}
	k := d.place(r)
	if k < len(d.points) && d.points[k] != r {
		k--
	}
	if k < 0 {
		return 0
	}
	return d.bounds[k].earliest
}

// Latest is a time by which revision r had certainly happened, or Never.
func (log *RevisionLog) Latest(r int64) time.Duration {
	d := &log.dates
	if len(d.bounds) == 0 {
		return Never
	}
	return d.bounds[d.place(r)].latest
}
