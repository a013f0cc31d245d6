package history

import (
	"math"
	"sort"
	"strings"
	"time"
)

// Change is one change of one key.
type Change struct {
	// Revision is the store revision that the change made.
	Revision int64
	// Time is when it was first seen: the change happened before.
	Time    time.Duration
	Key     string
	Deleted bool
	// Create and Version are the key's create revision and version, Lease the
	// lease that it is attached to; zero for a deletion.
	Create  int64
	Version int64
	Lease   int64
	Value   string
}

// LeaseEnd is the end of a lease, by revocation or expiry: all keys attached
// to it went away at Revision.
type LeaseEnd struct {
	Lease    int64
	Revision int64
	Time     time.Duration
}

// Tick is a linearizable read by the harness that found the store at Revision:
// a later revision cannot have happened before Call, and Revision had happened
// before Return. Ticks date the revisions between them.
type Tick struct {
	Call, Return time.Duration
	Revision     int64
}

// Gap is a range of revisions, both included, of which nothing was seen.
type Gap struct{ From, Through int64 }

// RevisionLog is the ground truth of a run: every change of every key below
// the run's prefix from revision Start through revision Through, but for Gaps.
// Build it with NewRevisionLog; it is immutable then.
type RevisionLog struct {
	Start, Through int64
	Changes        []Change
	LeaseEnds      []LeaseEnd
	Ticks          []Tick
	Gaps           []Gap

	latest []time.Duration // by index of Changes: no later than this
	byTick []Tick          // by Revision, with Call made monotonic
	lives  []Life
	ends   map[int64]LeaseEnd
}

// Life is one life of one key, from its creation to its deletion.
type Life struct {
	Key   string
	Lease int64
	// Create is the revision that created it, Delete the one that deleted it,
	// or zero if it was alive at the log's end.
	Create, Delete int64
	// ByLease is true if it was deleted because its lease ended.
	ByLease bool
	// Values are the key's values and the revisions at which it took them.
	Values []Change
}

// Alive is true if the key existed at revision r.
func (l *Life) Alive(r int64) bool { return l.Create <= r && (l.Delete == 0 || r < l.Delete) }

// Never is the time of what did not happen.
const Never = time.Duration(math.MaxInt64)

// NewRevisionLog builds the log from what was seen, in any order. Changes seen
// twice count once, at the earlier time. Through is the last revision that
// the log is known to reach; if zero, it is the last one seen.
func NewRevisionLog(start, through int64, changes []Change, ends []LeaseEnd, ticks []Tick, gaps []Gap) *RevisionLog {
	log := &RevisionLog{Start: start, Through: through, LeaseEnds: ends, Ticks: ticks, Gaps: gaps}
	sort.SliceStable(changes, func(i, j int) bool {
		if changes[i].Revision != changes[j].Revision {
			return changes[i].Revision < changes[j].Revision
		}
		if changes[i].Key != changes[j].Key {
			return changes[i].Key < changes[j].Key
		}
		return changes[i].Time < changes[j].Time
	})
	for _, c := range changes {
		if n := len(log.Changes); n > 0 && log.Changes[n-1].Revision == c.Revision && log.Changes[n-1].Key == c.Key {
			continue
		}
		log.Changes = append(log.Changes, c)
	}
	if n := len(log.Changes); n > 0 {
		log.Through = max(log.Through, log.Changes[n-1].Revision)
	}
	log.ends = make(map[int64]LeaseEnd, len(ends))
	for _, e := range ends {
		if first, ok := log.ends[e.Lease]; !ok || e.Revision < first.Revision || e.Revision == first.Revision && e.Time < first.Time {
			log.ends[e.Lease] = e
		}
	}
	log.date()
	log.live()
	return log
}

// date computes the bounds that Earliest and Latest look up.
func (log *RevisionLog) date() {
	log.latest = make([]time.Duration, len(log.Changes))
	bound := Never
	for i := len(log.Changes) - 1; i >= 0; i-- {
		bound = min(bound, log.Changes[i].Time)
		log.latest[i] = bound
	}
	log.byTick = append([]Tick(nil), log.Ticks...)
	sort.SliceStable(log.byTick, func(i, j int) bool { return log.byTick[i].Revision < log.byTick[j].Revision })
	for i := 1; i < len(log.byTick); i++ {
		log.byTick[i].Call = max(log.byTick[i].Call, log.byTick[i-1].Call)
	}
	for i := len(log.byTick) - 2; i >= 0; i-- {
		log.byTick[i].Return = min(log.byTick[i].Return, log.byTick[i+1].Return)
	}
}

// live splits the changes of each key into lives.
func (log *RevisionLog) live() {
	current := make(map[string]int)
	for i := range log.Changes {
		c := &log.Changes[i]
		k, alive := current[c.Key]
		switch {
		case c.Deleted:
			if !alive {
				continue
			}
			end, ended := log.ends[log.lives[k].Lease]
			log.lives[k].Delete = c.Revision
			log.lives[k].ByLease = ended && end.Revision == c.Revision
			delete(current, c.Key)
		case alive && log.lives[k].Create == c.Create:
			log.lives[k].Values = append(log.lives[k].Values, *c)
			log.lives[k].Lease = c.Lease
		default:
			if alive { // its deletion fell into a gap
				log.lives[k].Delete = c.Create
			}
			current[c.Key] = len(log.lives)
			log.lives = append(log.lives, Life{Key: c.Key, Lease: c.Lease, Create: c.Create, Values: []Change{*c}})
		}
	}
}

// Earliest is a time before which revision r cannot have happened.
func (log *RevisionLog) Earliest(r int64) time.Duration {
	k := sort.Search(len(log.byTick), func(k int) bool { return log.byTick[k].Revision >= r })
	if k == 0 {
		return 0
	}
	return log.byTick[k-1].Call
}

// Latest is a time by which revision r had certainly happened, or Never.
func (log *RevisionLog) Latest(r int64) time.Duration {
	bound := Never
	if k := sort.Search(len(log.Changes), func(k int) bool { return log.Changes[k].Revision >= r }); k < len(log.Changes) {
		bound = log.latest[k]
	}
	if k := sort.Search(len(log.byTick), func(k int) bool { return log.byTick[k].Revision >= r }); k < len(log.byTick) {
		bound = min(bound, log.byTick[k].Return)
	}
	return bound
}

// Lives returns the lives of all keys that start with prefix, in the order of
// their creation.
func (log *RevisionLog) Lives(prefix string) []Life {
	var lives []Life
	for i := range log.lives {
		if strings.HasPrefix(log.lives[i].Key, prefix) {
			lives = append(lives, log.lives[i])
		}
	}
	sort.SliceStable(lives, func(i, j int) bool { return lives[i].Create < lives[j].Create })
	return lives
}

// LeaseEnd returns the end of a lease, if the log saw it.
func (log *RevisionLog) LeaseEnd(lease int64) (LeaseEnd, bool) {
	e, ok := log.ends[lease]
	return e, ok
}

// Covers is true if the log saw every change from revision from through
// revision through.
func (log *RevisionLog) Covers(from, through int64) bool {
	if from < log.Start || through > log.Through {
		return false
	}
	for _, g := range log.Gaps {
		if g.From <= through && from <= g.Through {
			return false
		}
	}
	return true
}
