package model

import (
	"cmp"
	"math"
	"slices"
	"time"
)

const (
	// revokeRate is how many leases a leader lets expire in a second.
	revokeRate = 1000
	// revokeBatch is how many it takes at a time, of the two times a second
	// that it looks.
	revokeBatch = revokeRate / 2
	// spreadRate is how many a new leader lets expire in a second, so that old
	// ones are not alone.
	spreadRate = revokeRate * 3 / 4
)

// Due returns the leases whose time is over, in the order in which it ended;
// those for which it ended at the same time, in order of their IDs. There are
// no more than 500: a leader looks each 500 ms, and takes no more at a time.
//
// A lease whose time is over exists until it is revoked, which is up to the
// caller.
func (s *Store) Due(now time.Duration) []int64 {
	var due []*lease
	for _, l := range s.leases {
		if l.expiry <= now {
			due = append(due, l)
		}
	}
	if due == nil {
		return nil
	}
	sortByExpiry(due)
	due = due[:min(len(due), revokeBatch)]
	ids := make([]int64, len(due))
	for i, l := range due {
		ids[i] = l.id
	}
	return ids
}

// NextDue returns when the time of the first lease ends or has ended; false if
// there is none.
func (s *Store) NextDue() (time.Duration, bool) {
	next := time.Duration(math.MaxInt64)
	for _, l := range s.leases {
		next = min(next, l.expiry)
	}
	return next, len(s.leases) > 0
}

// Lapsed is true for a lease whose time is over, and that is not revoked yet.
// A leader that is asked to keep it alive does not answer until it is revoked,
// or until the leader is none any more.
func (s *Store) Lapsed(now time.Duration, id int64) bool {
	l := s.lease(id)
	return l != nil && l.expiry <= now
}

// Promote makes another member the leader. It does not know how long ago
// leases were renewed: it gives each its whole TTL again and the election
// timeout on top. If there are 1000 leases or more, those that would expire
// too close to each other get more.
func (s *Store) Promote(now time.Duration) {
	for _, l := range s.leases {
		l.refresh(now, s.extend)
	}
	if len(s.leases) < revokeRate {
		return
	}
	leases := s.byExpiry()
	start := leases[0].expiry // of the window that is being filled
	end := start + time.Second
	inWindow := 0
	for _, l := range leases {
		if l.expiry > end {
			start, end, inWindow = l.expiry, l.expiry+time.Second, 1
			continue
		}
		inWindow++
		if inWindow <= spreadRate {
			continue
		}
		// In floating point, so that it is rounded where a server rounds it.
		delay := float64(time.Second) * (float64(inWindow) / float64(spreadRate))
		delay -= float64(l.expiry - start)
		end = start + time.Duration(delay)
		l.refresh(now, s.extend+time.Duration(delay))
	}
}

func (s *Store) byExpiry() []*lease {
	leases := slices.Clone(s.leases)
	sortByExpiry(leases)
	return leases
}

// sortByExpiry keeps the order of those that expire at the same time.
func sortByExpiry(leases []*lease) {
	slices.SortStableFunc(leases, func(a, b *lease) int { return cmp.Compare(a.expiry, b.expiry) })
}
