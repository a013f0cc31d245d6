package checker

import (
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// Programs that are spoken to over a pipe make their leases themselves, and need
// not tell of them.

const neverRenewed = "the program did not renew its lease"

// neverRenewed is true if the lease of a program ended one time-to-live after its
// first key was made, or a little later, and no fault may have kept the program
// from renewing it. One that is too slow for its lease now and then has renewed it
// before, as a rule: that is the lease's fault.
func (r *record) neverRenewed(s *subject, client string, lease int64) bool {
	session, lives := r.sessions[lease], r.livesOf(lease)
	if !s.Program || session == nil || len(lives) == 0 {
		return false
	}
	end, ended := r.leaseEnds[lease]
	const late = 1500 * time.Millisecond // etcd ends leases twice a second, on a machine that may be slow
	return ended && end.latest-r.log.Earliest(r.lives[lives[0].index].Create) < session.TTL+late && !r.harmedBefore(client, end.latest)
}

// untoldLeaseEnded returns a key of the object that went with its lease during a
// hold of an overlap, where the program told neither its key nor its lease, and a
// fault may have kept it from renewing that: the key may have been the hold's.
// The program has the benefit of the doubt.
func (r *record) untoldLeaseEnded(s *subject, o overlap) (*history.Life, *history.Hold) {
	if !s.Program {
		return nil, nil
	}
	for _, h := range []*history.Hold{o.first, o.second} {
		if h.Key != "" || h.Lease > 0 {
			continue
		}
		prefix := r.h.Header.ObjectPrefix(s.Name, h.Object) + "/"
		for i := range r.lives {
			life := &r.lives[i]
			if strings.HasPrefix(life.Key, prefix) && life.Lease != 0 && life.Delete != 0 && r.deletedBy(life) == causeLease &&
				r.log.Earliest(life.Create) <= h.Start && r.log.Latest(life.Delete) >= h.Start && r.log.Earliest(life.Delete) <= o.to &&
				r.harmedBefore(h.Client, r.log.Latest(life.Delete)) {
				return life, h
			}
		}
	}
	return nil, nil
}
