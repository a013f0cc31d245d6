package history

import (
	"cmp"
	"math"
	"slices"
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

	dates dates
	lives []Life
	ends  map[int64]LeaseEnd
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
// the log is known to reach; if zero, it is the last one seen. The log keeps the
// slices that it is given, and brings changes into order.
func NewRevisionLog(start, through int64, changes []Change, ends []LeaseEnd, ticks []Tick, gaps []Gap) *RevisionLog {
	log := &RevisionLog{Start: start, Through: through, LeaseEnds: ends, Ticks: ticks, Gaps: gaps}
	inOrder(changes, func(a, b *Change) int {
		return cmp.Or(cmp.Compare(a.Revision, b.Revision), strings.Compare(a.Key, b.Key), cmp.Compare(a.Time, b.Time))
	})
	log.Changes = slices.CompactFunc(changes, func(a, b Change) bool { return a.Revision == b.Revision && a.Key == b.Key })
	if n := len(log.Changes); n > 0 {
		log.Through = max(log.Through, log.Changes[n-1].Revision)
	}
	log.ends = make(map[int64]LeaseEnd, len(ends))
	for _, e := range ends {
		if first, ok := log.ends[e.Lease]; !ok || e.Revision < first.Revision || e.Revision == first.Revision && e.Time < first.Time {
			log.ends[e.Lease] = e
		}
	}
	log.dates = dated(log.Changes, log.Ticks)
	log.live()
	return log
}

// inOrder sorts s, keeping equal elements as they are. What members' watches
// tell is nearly in order already, so that an insertion from the end moves
// little; a log that is not is sorted as any slice is.
func inOrder[T any](s []T, compare func(a, b *T) int) {
	moves := 8 * len(s)
	for i := 1; i < len(s); i++ {
		if compare(&s[i-1], &s[i]) <= 0 {
			continue
		}
		v := s[i]
		k := i
		for ; k > 0 && compare(&s[k-1], &v) > 0; k-- {
			s[k] = s[k-1]
			moves--
		}
		s[k] = v
		if moves < 0 {
			slices.SortStableFunc(s, func(a, b T) int { return compare(&a, &b) })
			return
		}
	}
}

// live splits the changes of each key into lives.
func (log *RevisionLog) live() {
	created := 0
	for i := range log.Changes {
		if c := &log.Changes[i]; !c.Deleted && c.Create == c.Revision {
			created++
		}
	}
	log.lives = make([]Life, 0, created)
	values := make([]int32, 0, created)      // by life, how many
	lives := make([]int32, len(log.Changes)) // by change, its life plus one
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
			values[k]++
			lives[i] = int32(k) + 1
			log.lives[k].Lease = c.Lease
		default:
			if alive { // its deletion fell into a gap
				log.lives[k].Delete = c.Create
			}
			k = len(log.lives)
			current[c.Key] = k
			values = append(values, 1)
			lives[i] = int32(k) + 1
			log.lives = append(log.lives, Life{Key: c.Key, Lease: c.Lease, Create: c.Create})
		}
	}
	for i := range log.Changes {
		if lives[i] == 0 {
			continue
		}
		life, n := &log.lives[lives[i]-1], values[lives[i]-1]
		switch {
		case n == 1: // most keys take one value: those share the log's own record of it
			life.Values = log.Changes[i : i+1 : i+1]
		case life.Values == nil:
			life.Values = append(make([]Change, 0, n), log.Changes[i])
		default:
			life.Values = append(life.Values, log.Changes[i])
		}
	}
	// A key whose creation fell into a gap was created before it was seen.
	inOrder(log.lives, func(a, b *Life) int { return cmp.Compare(a.Create, b.Create) })
}

// Lives returns the lives of all keys that start with prefix, in the order of
// their creation. They must not be changed.
func (log *RevisionLog) Lives(prefix string) []Life {
	if prefix == "" {
		return slices.Clip(log.lives)
	}
	n := 0
	for i := range log.lives {
		if strings.HasPrefix(log.lives[i].Key, prefix) {
			n++
		}
	}
	lives := make([]Life, 0, n)
	for i := range log.lives {
		if strings.HasPrefix(log.lives[i].Key, prefix) {
			lives = append(lives, log.lives[i])
		}
	}
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
