package checker

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// leaseSlack is how much earlier a lease may end: members count with clocks of
// their own.
const leaseSlack = 100 * time.Millisecond

// Lease: a lease lives for its whole time after it was renewed. A client that was
// told so was told when it asked; the lease was renewed later than that, and has to
// live for its time-to-live from then on, whoever leads the cluster, unless
// somebody revokes it.
//
// It is judged where the renewals that clients were told of are recorded. The end
// is taken at the latest time that the log allows, and leases that their clients
// closed, or that a fault revoked, are left out.
func leaseLives(r *record, s *subject) *judgement {
	if r.log == nil || s.storeBlame() != BlameServer {
		return nil
	}
	j := &judgement{}
	leases, ended, revoked := 0, 0, 0
	for lease, opened := range r.sessions {
		if opened.Subject != s.Name || len(r.renewals[lease]) == 0 {
			continue
		}
		leases++
		end, over := r.leaseEnds[lease]
		if !over {
			continue
		}
		if r.wasRevoked(opened, end) {
			revoked++
			continue
		}
		ended++
		if f := r.endedEarly(opened, end); f != nil {
			j.findings = append(j.findings, *f)
		}
	}
	if leases == 0 {
		return nil
	}
	j.figures = map[string]float64{"leases": float64(leases), "revoked": float64(revoked), "expired": float64(ended), "early": float64(len(j.findings))}
	j.holds = fmt.Sprintf("of %s that were renewed %d expired, none before its time", count(leases, "lease"), ended)
	return j
}

// endedEarly is a lease that ended before its time.
func (r *record) endedEarly(opened *history.Event, end leaseEnd) *finding {
	var due, told time.Duration
	for _, e := range r.renewals[opened.Lease] {
		if e.Time+e.TTL > due {
			due, told = e.Time+e.TTL, e.Time
		}
	}
	if end.latest+leaseSlack >= due {
		return nil
	}
	f := finding{}
	f.Violation = Violation{Blame: BlameServer, Known: r.earlyKnown(end), Cause: "lease ended before its time", From: end.earliest, To: end.latest}
	// The operations that rested on it.
	for i := range r.h.Operations {
		op := &r.h.Operations[i]
		if op.Client == opened.Client && op.Lease == opened.Lease && op.Call <= end.latest {
			f.Witness, f.Object = []int64{op.ID}, op.Object
		}
	}
	f.tell = func() string {
		return fmt.Sprintf("%s's lease %x had ended by %s, although it was told at %s that it was renewed, and had to live until %s: %s too early",
			opened.Client, opened.Lease, at(end.latest), at(told), at(due), span(due-end.latest))
	}
	return &f
}

// wasRevoked is true if the end of a session's lease may have been asked for.
func (r *record) wasRevoked(opened *history.Event, end leaseEnd) bool {
	closed := slices.ContainsFunc(r.closings, func(op *history.Operation) bool { return op.Lease == opened.Lease && op.Call <= end.latest })
	return closed || slices.ContainsFunc(r.h.Faults, func(f history.Fault) bool {
		return f.Kind == "revoke-lease" && strings.Split(f.Target, " ")[0] == opened.Client && f.From <= end.latest
	})
}

// earlyKnown is the issue that describes why a lease ended before its time, or "".
func (r *record) earlyKnown(end leaseEnd) string {
	accepted := func(issue string) bool { return r.o.Known == nil || slices.Contains(r.o.Known, issue) }
	switch {
	case r.members() < 3:
		return ""
	case r.wasKeptFromItsLog(end) && accepted("etcd#15247"):
		return "etcd#15247"
	case r.wasSucceeded(end) && accepted("etcd#12528"):
		return "etcd#12528"
	}
	return ""
}

// wasKeptFromItsLog is true if there was a leader that was kept from its log, or from
// everything, and has come back.
func (r *record) wasKeptFromItsLog(end leaseEnd) bool {
	return slices.ContainsFunc(r.h.Faults, func(f history.Fault) bool {
		kept := slices.Contains([]string{"stall-leader-disk", "stall-disk", "slow-disk", "pause-leader", "pause-member"}, f.Kind)
		return kept && f.Verified && strings.HasSuffix(f.Target, "(leader)") && f.From <= end.latest && (f.To == 0 || f.To+faultsLast >= end.earliest)
	})
}

// apart are the faults that part a leader from the other members while its clients
// may still reach it.
var apart = []string{"isolate-leader", "isolate-member", "split", "bridge", "one-way", "stall-leader", "stall-member", "disconnect-member"}

// healingTakes is for how long before a fault is recorded as healed it may have been
// healed in part.
const healingTakes = time.Second

// wasSucceeded is true if a leader that was parted from the others was succeeded, and
// had come back by when the lease ended. Leases that ended by its own account between
// its last heartbeat and the end of its leadership it asks to revoke; what it asks for
// while it knows no leader waits, and is sent to its successor, who had given them
// their whole time once more.
func (r *record) wasSucceeded(end leaseEnd) bool {
	return slices.ContainsFunc(r.h.Faults, func(f history.Fault) bool {
		// What a hook does to a leader is not known; that another led meanwhile is.
		parts := slices.Contains(apart, f.Kind) || strings.HasPrefix(f.Kind, "hook/")
		if !parts || !f.Verified || f.To == 0 || end.latest < f.To-healingTakes || end.earliest > f.To+faultsLast {
			return false
		}
		old, succeeded := "", false
		for i := range r.h.Events {
			e := &r.h.Events[i]
			switch {
			case e.Kind != history.Leads || e.Detail != "leader" || e.Time > end.latest:
			case e.Time <= f.From:
				old = e.Client
			default:
				succeeded = succeeded || e.Client != old
			}
		}
		return old != "" && succeeded && strings.Contains(f.Target, old)
	})
}
