package checker

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// Leftovers: a release or resignation that reports success leaves no key of
// its hold behind, an acquire that gives up none of its own, and closing a
// session none of its lease.
//
// The key is known by its create revision, so one that a later acquire made
// is not mistaken for it. It is a leftover if, under every assignment of times
// within the log's bounds, it was still alive when the call returned. The end
// of the lease itself shows in the deletion of its keys; without keys nothing
// dates it, and nothing is concluded. A subject that cannot name its keys is
// judged by its closed sessions alone.
//
// What calls that failed leave on living sessions is in stray.go.
func leftovers(r *record, s *subject) *judgement {
	if !s.holding() {
		return nil
	}
	j := &judgement{}
	var released, closed, unjudged int
	applies, nameless := s.Layout != history.NoLayout, 0
	judge := func(op *history.Operation, life *history.Life, object string, lie *finding) {
		gone := r.gone(life)
		switch {
		case r.log.Earliest(gone) > op.Return:
			f := finding{}
			f.Violation = Violation{Blame: s.culprit(), Witness: []int64{op.ID}, From: op.Call, To: r.log.Earliest(gone), Object: object}
			if lie != nil {
				f.Known = lie.Known
			} else if r.failedBefore(op) {
				f.Known = r.knownAs(s, map[history.Primitive]string{history.Election: "etcd#22123", history.RWMutex: "rwmutex-unlock-twice"}[s.Primitive])
			}
			f.Call, f.Cause = op.Kind, "its key is still there"
			switch {
			case lie != nil:
				f.Cause += ", " + following(lie)
			case op.Kind.Acquires():
				f.Cause = "without effect, but its key is still there"
			case r.failedBefore(op):
				f.Cause += ", after an attempt that failed"
			}
			what := "released " + object
			switch op.Kind {
			case history.Resign:
				what = "resigned from " + object
			case history.CloseSession:
				what = "closed its session"
			}
			if op.Kind.Acquires() {
				f.tell = func() string {
					return fmt.Sprintf("%s was told at %s that its %s of %s, called at %s, had no effect, but the key that it had made (rev %d) was still there at %s",
						op.Client, at(op.Return), op.Kind, object, at(op.Call), life.Create, at(r.log.Earliest(gone)))
				}
				j.findings = append(j.findings, f)
				return
			}
			f.tell = func() string {
				return fmt.Sprintf("%s was told at %s that it %s (%s called at %s), but its key (rev %d) was still there at %s",
					op.Client, at(op.Return), what, op.Kind, at(op.Call), life.Create, at(r.log.Earliest(gone)))
			}
			if op.Hold != 0 {
				f.Witness = []int64{op.Hold, op.ID}
			}
			j.findings = append(j.findings, f)
		case life.Delete == 0:
			unjudged++
		}
	}
	for _, ob := range s.objects {
		for _, op := range ob.operations {
			if !op.Kind.Releases() || op.Outcome != history.Ok {
				continue
			}
			h := r.holdOf(op.Hold)
			if h == nil {
				continue
			}
			if h.Token == 0 {
				nameless++
				continue
			}
			applies = true
			released++
			if r.log == nil {
				unjudged++
				continue
			}
			if t, known := ob.identified(h.Key, h.Token); t != nil {
				judge(op, t.Life, ob.name, s.lies[h.Acquire])
			} else if !known || !r.covers(h.Token, h.Token) {
				unjudged++
			}
		}
	}
	for _, ob := range s.objects {
		r.leaked(ob, func(op *history.Operation, life *history.Life) { judge(op, life, ob.name, nil) })
		found := r.left(s, ob)
		applies = applies || len(found) > 0
		j.findings = append(j.findings, found...)
	}
	for _, ob := range s.objects {
		r.abandoned(ob, func(op *history.Operation, life *history.Life, closing *history.Operation) {
			f := finding{}
			f.Violation = Violation{Blame: s.culprit(), Call: op.Kind, Cause: "gave up, and its key stayed until its session was closed", Witness: []int64{op.ID, closing.ID}, From: min(op.Return, closing.Call), To: closing.Call, Object: ob.name}
			if s.Primitive == history.Mutex || s.Primitive == history.Election {
				// Of etcd's own only the services over gRPC clean up after they have
				// answered; the library does so before it returns.
				f.Known = r.knownAs(s, "v3lock-late-clean-up")
			}
			f.tell = func() string {
				return fmt.Sprintf("%s's %s of %s, called at %s, had to end at %s and returned at %s without taking back the key that it had made (rev %d, by %s): that went only with its session, closed at %s",
					op.Client, op.Kind, history.Called(ob.name), at(op.Call), at(op.Deadline), at(op.Return), life.Create, at(r.log.Latest(life.Create)), at(closing.Call))
			}
			j.findings = append(j.findings, f)
		})
	}
	for _, op := range r.closings {
		if op.Outcome != history.Ok || op.Subject != "" && op.Subject != s.Name || op.Lease == 0 {
			continue
		}
		any := false
		for _, l := range r.livesOf(op.Lease) {
			life, object := &r.lives[l.index], ""
			if ob := r.objectOf(s, life); ob != nil {
				object = ob.name
			} else if op.Subject == "" {
				continue // another subject's
			}
			any = true
			judge(op, life, object, nil)
		}
		if any {
			applies = true
			closed++
		}
	}
	if !applies || nameless > 0 && released+closed == 0 {
		return nil
	}
	j.figures = map[string]float64{"released": float64(released), "closed": float64(closed), "left": float64(len(j.findings)), "unjudged": float64(unjudged)}
	j.holds = fmt.Sprintf("%s and %s left no key behind", count(released, "release"), count(closed, "session close"))
	if unjudged > 0 {
		j.unknown = fmt.Sprintf("the revision log does not tell of %s whether they went", count(unjudged, "key"))
	}
	if released+closed == 0 {
		j.vacuous = "no release or close of a session that had keys reported success"
	}
	return j
}

// leaked finds the keys of an object that can only have been made by acquires
// which certainly had no effect, as they say, and that outlived them. The calls
// of one session come one after another, or a few at once where clients share
// it, so those that may have made a key on its lease are few, and one of them
// did. A call whose outcome is not known may
// take effect after its return: keys after it are left out, as are those that a
// call after the end of the record may have made.
func (r *record) leaked(ob *object, found func(*history.Operation, *history.Life)) {
	if r.log == nil || !ob.failed {
		return
	}
	leases, _ := makersOf(ob)
	for i := range ob.tenures {
		life := ob.tenures[i].Life
		m, latest := leases[life.Lease], r.log.Latest(life.Create)
		if m == nil || len(m.unknown) > 0 && latest >= m.unknown[0].Call || latest >= r.h.End {
			continue
		}
		earliest := r.log.Earliest(life.Create)
		first := sort.Search(len(m.known), func(k int) bool { return m.known[k].by >= earliest })
		var last *history.Operation // of those that may have made it, the one that ended last
		for ; first < len(m.known) && m.known[first].Call <= latest; first++ {
			op := m.known[first].Operation
			if op.Return < earliest {
				continue
			}
			if op.Outcome != history.Fail {
				last = nil
				break
			}
			if last == nil || op.Return >= last.Return {
				last = op
			}
		}
		if last != nil && r.log.Earliest(r.gone(life)) > last.Return {
			found(last, life)
		}
	}
}

// failedBefore is true if an earlier release of the same hold had failed.
func (r *record) failedBefore(op *history.Operation) bool {
	ob := r.objects[objectID{op.Subject, op.Object}]
	if op.Hold == 0 || ob == nil {
		return false
	}
	for _, earlier := range ob.operations {
		if earlier.Hold == op.Hold && earlier.Kind == op.Kind && earlier.Outcome == history.Info && earlier.Return <= op.Call {
			return true
		}
	}
	return false
}

// settled is how long before the end of its context an acquire must have made
// its key for the key to be one that it knew of: the answer was there.
const settled = 250 * time.Millisecond

// heard is false if an acquire may not have known of the key that it made: it sent
// nothing after the one request that its links have counted. A machine that stands
// still can keep an answer for longer than settled, without any fault.
func heard(op *history.Operation) bool { return op.Requests != 1 }

// abandoned finds the keys of acquires that ended by their own context, while no
// fault lasted, and that only the end of their session took away. That no other
// call can have made the key shows that the client reached etcd again after what
// faults there were before.
//
// That the session was closed later, successfully, proves nothing by itself: to
// close one whose lease had expired is a success too, and where clients share a
// session it expires with the one who renews it, whatever the others do. So the
// log must admit that the key was there until then, without a gap in which it may
// have been deleted and made again, and the lease must not have ended before
// the acquire returned.
func (r *record) abandoned(ob *object, found func(op *history.Operation, life *history.Life, closing *history.Operation)) {
	if r.log == nil || !ob.failed {
		return
	}
	leases, claimed := makersOf(ob)
	for i := range ob.tenures {
		t := &ob.tenures[i]
		m := leases[t.Lease]
		if _, taken := claimed[t.Create]; m == nil || len(m.unknown) == 0 || taken {
			continue
		}
		closing := r.closingOf(t.Lease)
		if closing == nil || r.deletedBy(t.Life) != causeLease || t.gone < t.Delete || r.log.Latest(t.Delete) < closing.Call || r.wasLost(closing) {
			continue
		}
		op, sole := r.maker(t, m, func(*history.Operation) bool { return true })
		if op != nil && sole && op.Outcome == history.Info && op.Deadline != 0 && op.Return >= op.Deadline && r.log.Latest(t.Create)+settled <= op.Deadline && heard(op) &&
			op.Return <= closing.Call && !r.harmed(op.Client, op.Call, op.Return) &&
			(r.log.Earliest(t.Delete) > op.Return || r.renewed(t.Lease, r.log.Earliest(t.Create), op.Return)) {
			found(op, t.Life, closing)
		}
	}
}

// wasLost is true if who closes a session had been told before that it is over.
func (r *record) wasLost(closing *history.Operation) bool {
	told := r.lost[membership{closing.Client, closing.Lease}]
	return slices.ContainsFunc(told, func(t time.Duration) bool { return t <= closing.Call })
}

// renewed is true if nothing kept a lease that was alive at time from, or later,
// from staying so until time to: its session had not been ended, and no fault hit
// the client who renews it.
func (r *record) renewed(lease int64, from, to time.Duration) bool {
	session := r.sessions[lease]
	return session != nil && r.sessionLives(lease, to) && !r.harmed(session.Client, from-session.TTL, to)
}

// closingOf returns the last successful closing of the session on a lease, or nil.
func (r *record) closingOf(lease int64) *history.Operation {
	if r.closed == nil {
		r.closed = make(map[int64]*history.Operation)
		for _, op := range r.closings {
			if op.Outcome == history.Ok && op.Lease != 0 {
				r.closed[op.Lease] = op
			}
		}
	}
	return r.closed[lease]
}

// objectOf returns the subject's object to which a key belongs, or nil.
func (r *record) objectOf(s *subject, life *history.Life) *object {
	for _, ob := range s.objects {
		created := ob.createdAt(life.Create)
		for i := range created {
			if created[i].Life == life {
				return ob
			}
		}
	}
	return nil
}
