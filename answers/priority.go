package answers

import (
	"cmp"
	"errors"
	"slices"
	"sort"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// request is one request for a read-write lock, from the call until it was
// given back.
type request struct {
	mode history.Mode
	// arrival is the place in the order in which requests arrived: the revision
	// at which the request's key was created.
	arrival int64
	// call is right before the acquire, granted right after it, and released
	// right before the release.
	call, granted, released time.Duration
}

func (r *request) wait() time.Duration { return r.granted - r.call }

// Side is what readers, or writers, met in one load.
type Side struct {
	Requests int       `json:"requests"`
	Wait     Quantiles `json:"wait"`
	// Chances counts the requests that were made while one of the other kind,
	// which arrived earlier, had not been granted. Overtook counts those of
	// them that were granted before it.
	Chances  int `json:"chances"`
	Overtook int `json:"overtook"`
}

// LoadResult is what was measured under one load.
type LoadResult struct {
	Load    string  `json:"load"`
	Readers float64 `json:"readers"`
	Read    Side    `json:"read"`
	Write   Side    `json:"write"`
	// Behind counts the readers that asked while readers held the lock and an
	// earlier writer waited; Waited counts those that waited for that writer
	// although they could have shared at once.
	Behind int `json:"readers_behind_a_waiting_writer"`
	Waited int `json:"of_them_waited"`
	// Together is the largest number of readers that held at once.
	Together int `json:"readers_together"`
}

// errNoOrder says that a lock does not tell in which order requests arrived.
var errNoOrder = errors.New("the lock's grants have no tokens that tell the order of arrival")

// analyse compares the order of grants with the order of arrival. It is exact
// about overtaking if the lock keeps readers and writers apart: then one was
// granted, and gave the lock back, before the other was granted.
func analyse(requests []request) (LoadResult, error) {
	var result LoadResult
	sorted := slices.Clone(requests)
	slices.SortFunc(sorted, func(a, b request) int { return cmp.Compare(a.arrival, b.arrival) })
	for i := range sorted {
		if sorted[i].arrival <= 0 || i > 0 && sorted[i].arrival == sorted[i-1].arrival {
			return result, errNoOrder
		}
	}
	reads := newReadHolds(sorted)
	result.Together = reads.together()
	var waits [2][]time.Duration
	// The latest grant of the readers, and of the writers, that arrived before.
	var latest [2]time.Duration
	for i := range sorted {
		q := &sorted[i]
		own, other, side := 0, 1, &result.Read
		if q.mode != history.ReadMode {
			own, other, side = 1, 0, &result.Write
		}
		side.Requests++
		waits[own] = append(waits[own], q.wait())
		if latest[other] > q.call {
			side.Chances++
			overtook := latest[other] > q.granted
			if overtook {
				side.Overtook++
			}
			if own == 0 && reads.at(q.call) {
				result.Behind++
				if !overtook {
					result.Waited++
				}
			}
		}
		latest[own] = max(latest[own], q.granted)
	}
	result.Read.Wait, result.Write.Wait = quantilesOf(waits[0]), quantilesOf(waits[1])
	return result, nil
}

// readHolds are the holds of readers, by the time of their grant.
type readHolds struct {
	holds []request
	// until is the latest release of this and all earlier holds.
	until []time.Duration
}

func newReadHolds(requests []request) *readHolds {
	r := &readHolds{}
	for _, q := range requests {
		if q.mode == history.ReadMode {
			r.holds = append(r.holds, q)
		}
	}
	slices.SortFunc(r.holds, func(a, b request) int { return cmp.Compare(a.granted, b.granted) })
	latest := time.Duration(0)
	for i := range r.holds {
		latest = max(latest, r.holds[i].released)
		r.until = append(r.until, latest)
	}
	return r
}

// at is true if a reader held at t.
func (r *readHolds) at(t time.Duration) bool {
	n := sort.Search(len(r.holds), func(i int) bool { return r.holds[i].granted > t })
	return n > 0 && r.until[n-1] > t
}

// together is the largest number of readers that held at the same time.
func (r *readHolds) together() int {
	releases := make([]time.Duration, len(r.holds))
	for i := range r.holds {
		releases[i] = r.holds[i].released
	}
	slices.Sort(releases)
	most, over := 0, 0
	for i := range r.holds {
		for releases[over] <= r.holds[i].granted {
			over++
		}
		most = max(most, i+1-over)
	}
	return most
}

// Preference says whom a lock prefers.
type Preference string

// The preferences.
const (
	// InOrder: nobody overtakes, or hardly anybody.
	InOrder Preference = "neither"
	// Readers, Writers: these overtake the others, who overtake them far less.
	Readers Preference = "readers"
	Writers Preference = "writers"
	// Disorder: requests are overtaken, but neither kind much more than the other.
	Disorder Preference = "out of order"
	// Unmeasured: there were too few chances.
	Unmeasured Preference = "not measured"
)

const (
	// enoughChances is how many chances of each kind an answer needs.
	enoughChances = 20
	// hardly is the share of chances, in percent, up to which overtaking does
	// not count, and much the share above which it makes a preference, if it is
	// twice that of the others.
	hardly, much = 1.0, 5.0
)

// preference judges all loads together.
func preference(loads []LoadResult) Preference {
	var read, write Side
	for i := range loads {
		read.add(&loads[i].Read)
		write.add(&loads[i].Write)
	}
	readers, writers := percent(read.Overtook, read.Chances), percent(write.Overtook, write.Chances)
	switch {
	case read.Chances < enoughChances || write.Chances < enoughChances:
		return Unmeasured
	case readers <= hardly && writers <= hardly:
		return InOrder
	case readers > much && readers >= 2*writers:
		return Readers
	case writers > much && writers >= 2*readers:
		return Writers
	default:
		return Disorder
	}
}

func (s *Side) add(other *Side) {
	s.Requests += other.Requests
	s.Chances += other.Chances
	s.Overtook += other.Overtook
}
