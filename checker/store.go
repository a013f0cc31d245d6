package checker

import (
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// This file is the revision log's half of a record: what the store did, when
// it can have happened, and how much of it is surely known.

// indexLog gives every object its tenures and dates the ends of leases.
func (r *record) indexLog() {
	r.through = r.log.Through
	// One revision can change several keys, and a record may be cut between
	// two of them: the last revision of a cut log may be seen in part.
	if n := len(r.log.Changes); !r.complete && n > 0 && r.log.Changes[n-1].Revision == r.through {
		r.through--
	}
	r.reach = r.log.Earliest(r.through + 1)
	r.gaps = slices.Clone(r.log.Gaps)
	sort.Slice(r.gaps, func(i, j int) bool { return r.gaps[i].From < r.gaps[j].From })

	r.lives = r.log.Lives("")
	r.leased = make(map[int64]*leasedLives)
	prefixes := make(map[string][]*object, len(r.objects))
	for _, s := range r.subjects {
		for _, ob := range s.objects {
			p := r.h.Header.ObjectPrefix(s.Name, ob.name) + "/"
			prefixes[p] = append(prefixes[p], ob)
		}
	}
	r.homes = make([]*subject, len(r.lives))
	type match struct {
		ob   *object
		life int32
		mode history.Mode
	}
	matches := make([]match, 0, len(r.lives))
	for i := range r.lives {
		life := &r.lives[i]
		if life.Lease != 0 {
			leased := leasedLife{i, life.Delete}
			if life.Delete == 0 {
				leased.deletedBy = math.MaxInt64
			}
			of := r.leased[life.Lease]
			if of == nil {
				of = &leasedLives{}
				r.leased[life.Lease] = of
			}
			if n := len(of.lives); n > 0 {
				leased.deletedBy = max(leased.deletedBy, of.lives[n-1].deletedBy)
			}
			of.lives = append(of.lives, leased)
			of.seen = max(of.seen, life.Values[len(life.Values)-1].Revision)
		}
		// A key belongs to the object with the longest name that fits: one of
		// "a/b" is none of "a".
		for at := len(life.Key) - 1; at >= 0; at-- {
			if life.Key[at] != '/' || prefixes[life.Key[:at+1]] == nil {
				continue
			}
			for _, ob := range prefixes[life.Key[:at+1]] {
				m := match{ob: ob, life: int32(i)}
				if ob.subject.Layout == history.ReadWriteKeys {
					m.mode = directory(life.Key[at+1:])
				}
				matches = append(matches, m)
				ob.keys++
				r.homes[i] = ob.subject
			}
			break
		}
	}
	for _, m := range matches {
		if m.ob.tenures == nil {
			m.ob.tenures = make([]tenure, 0, m.ob.keys)
		}
		life := &r.lives[m.life]
		m.ob.tenures = append(m.ob.tenures, tenure{Life: life, mode: m.mode, gone: r.gone(life), behind: -1})
	}
	for _, s := range r.subjects {
		for _, ob := range s.objects {
			ob.queue(s.permits())
		}
	}
	r.indexLeaseEnds()
}

// lifeOf returns the life of a key that began at a revision, or nil.
func (r *record) lifeOf(key string, create int64) *history.Life {
	after := sort.Search(len(r.lives), func(k int) bool { return r.lives[k].Create > create })
	for k := after - 1; k >= 0 && r.lives[k].Create == create; k-- {
		if r.lives[k].Key == key {
			return &r.lives[k]
		}
	}
	return nil
}

// indexLeaseEnds dates the ends of leases. The revision of a lease's end
// counts only if a key went with it: nothing dates it otherwise but the time
// at which it was seen.
func (r *record) indexLeaseEnds() {
	r.leaseEnds = make(map[int64]leaseEnd, len(r.log.LeaseEnds))
	for _, seen := range r.log.LeaseEnds {
		if _, done := r.leaseEnds[seen.Lease]; done {
			continue
		}
		e, _ := r.log.LeaseEnd(seen.Lease)
		end := leaseEnd{earliest: r.log.Earliest(r.leaseSeen(e.Lease)), latest: e.Time}
		for _, l := range r.livesOf(e.Lease) {
			if r.lives[l.index].Delete == e.Revision {
				end = leaseEnd{e.Revision, r.log.Earliest(e.Revision), min(e.Time, r.log.Latest(e.Revision))}
			}
		}
		r.leaseEnds[e.Lease] = end
	}
}

// directory tells from a key's name below its object's prefix who made it.
func directory(rest string) history.Mode {
	if strings.HasPrefix(rest, "read/") {
		return history.ReadMode
	}
	return history.WriteMode
}

// queue computes for every tenure when its turn may have come: a key waits for
// every older key of its object but as many as there are permits less one, a
// reader's key for the writers' only.
func (ob *object) queue(permits int) {
	all, writers := lasting{ob: ob, permits: permits}, lasting{ob: ob, permits: permits}
	for i := 0; i < len(ob.tenures); {
		end := i
		for ; end < len(ob.tenures) && ob.tenures[end].Create == ob.tenures[i].Create; end++ {
			t := &ob.tenures[end]
			ahead := &all
			if t.mode == history.ReadMode {
				ahead = &writers
			}
			t.owns = t.Create
			if before, last := ahead.turn(); before > t.Create {
				t.owns, t.behind = before, last
			}
		}
		for ; i < end; i++ {
			all.add(i)
			if ob.tenures[i].mode != history.ReadMode {
				writers.add(i)
			}
		}
	}
}

// lasting are those of an object's tenures that last longest, by when they go:
// as many as there are permits.
type lasting struct {
	ob      *object
	permits int
	by      []int
}

func (l *lasting) add(i int) {
	gone := l.ob.tenures[i].gone
	if len(l.by) == l.permits {
		if gone <= l.ob.tenures[l.by[0]].gone {
			return
		}
		l.by = slices.Delete(l.by, 0, 1)
	}
	at := sort.Search(len(l.by), func(k int) bool { return l.ob.tenures[l.by[k]].gone > gone })
	l.by = slices.Insert(l.by, at, i)
}

// turn is the revision from which on fewer than the permits are taken by them,
// and the tenure whose end that is; zero and -1 if it was never otherwise.
func (l *lasting) turn() (revision int64, behind int) {
	if len(l.by) < l.permits {
		return 0, -1
	}
	return l.ob.tenures[l.by[0]].gone, l.by[0]
}

// gone is the first revision at which a life may have been over.
func (r *record) gone(life *history.Life) int64 {
	last := life.Values[len(life.Values)-1].Revision
	end := life.Delete
	if end == 0 {
		end = max(r.through, last) + 1
	}
	for _, g := range r.gaps {
		if g.Through > last && g.From < end {
			return max(g.From, last+1)
		}
	}
	return end
}

// covers is true if every change from revision from through revision through
// is surely in the log.
func (r *record) covers(from, through int64) bool {
	return r.log != nil && through <= r.through && r.log.Covers(from, through)
}

// seesAllBy is true if every change that happened since revision from and by
// time t is surely in the log.
func (r *record) seesAllBy(from int64, t time.Duration) bool {
	return r.reach > t && (from > r.through || r.covers(from, r.through))
}

// cause is why a key went away.
type cause int

const (
	causeUnknown cause = iota
	causeLease
	causeOther
)

// deletedBy tells why a life ended. A lease's end may be recorded a little
// after the deletions that it caused: in a record that was cut in between,
// the cause is not known yet.
func (r *record) deletedBy(life *history.Life) cause {
	if life.Delete == 0 {
		return causeUnknown
	}
	if life.ByLease {
		return causeLease
	}
	if r.lifeOf(life.Key, life.Delete) != nil {
		return causeUnknown // its deletion fell into a gap
	}
	if _, ended := r.log.LeaseEnd(life.Lease); ended || life.Lease == 0 || r.logIsWhole() || r.leaseSeen(life.Lease) > life.Delete {
		return causeOther
	}
	return causeUnknown
}

// logIsWhole is true if the log surely reaches the final phase of a record
// that is complete: no lease's end is still to come.
func (r *record) logIsWhole() bool { return r.complete && r.isFinal && r.reach >= r.final }

// leaseEnd bounds the time at which a lease ended.
type leaseEnd struct {
	revision         int64 // zero if no key shows it
	earliest, latest time.Duration
}

// leaseAlive is true if the lease surely had not ended at time t.
func (r *record) leaseAlive(lease int64, t time.Duration) bool {
	if lease == 0 {
		return true
	}
	if e, ended := r.leaseEnds[lease]; ended {
		return e.earliest > t
	}
	seen := r.leaseSeen(lease)
	if seen > 0 && r.log.Earliest(seen) > t {
		return true
	}
	return r.complete && r.seesAllBy(max(seen, r.log.Start), t)
}
