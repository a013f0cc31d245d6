package checker

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// Refusal: a try is refused only if another client holds the object at some
// time between its call and its return.
//
// Only what every lock has to admit is judged: a refusal is false if, for each
// other acquire of the object, the time in which it may have kept it does not
// touch the try. A failed acquire may have kept it until it returned, and one
// that was released until the release had returned. What any other kept shows
// in the keys of the object, where the subject has a layout and the log is
// whole; else it may have kept it until its session's lease ended and a grace
// more, for a lease of the subject's own may live longer; without a log, for
// ever. So a lock with a queue may refuse a try because of those who wait, or
// are just leaving.
func refusal(r *record, s *subject) *judgement {
	j := &judgement{}
	refused, free := 0, 0
	for _, ob := range s.objects {
		var tries []*history.Operation
		for _, op := range ob.operations {
			if op.Kind == history.TryAcquire && op.Outcome == history.Fail && op.Number == 1 {
				tries = append(tries, op)
			}
		}
		if len(tries) == 0 {
			continue
		}
		refused += len(tries)
		requests := ob.acquires
		kept := r.mayHaveKept(s, requests)
		present := r.presences(s, ob)
		// Of the requests called by a try's return, the one that may have kept
		// the object for longest, and the next to it: one of them is not the try.
		slices.SortStableFunc(tries, func(a, b *history.Operation) int { return cmp.Compare(a.Return, b.Return) })
		longest, second := -1, -1
		next := 0
		for _, op := range tries {
			for ; next < len(requests) && requests[next].Call <= op.Return; next++ {
				switch {
				case longest < 0 || kept[next] > kept[longest]:
					longest, second = next, longest
				case second < 0 || kept[next] > kept[second]:
					second = next
				}
			}
			other := longest
			if other >= 0 && requests[other] == op {
				other = second
			}
			if other >= 0 && kept[other] >= op.Call || present.during(r, op) {
				continue
			}
			free++
			f := finding{}
			f.Violation = Violation{Blame: s.culprit(), Call: op.Kind, Cause: "refused while nobody can have held the object", Witness: []int64{op.ID}, From: op.Call, To: op.Return, Object: ob.name}
			last := ""
			if other >= 0 {
				f.Witness = []int64{requests[other].ID, op.ID}
				last = fmt.Sprintf("; the last who may have kept it is %s, until %s", requests[other].Client, at(kept[other]))
			}
			f.tell = func() string {
				return fmt.Sprintf("%s's try of %s, called at %s, was refused at %s, while nobody else can have held it%s", op.Client, history.Called(op.Object), at(op.Call), at(op.Return), last)
			}
			j.findings = append(j.findings, f)
		}
	}
	if refused == 0 {
		return nil
	}
	j.figures = map[string]float64{"refused": float64(refused), "free": float64(free)}
	j.holds = fmt.Sprintf("none of %s came while nobody else can have held the object", count(refused, "refusal"))
	return j
}

// mayHaveKept returns, for each request, the last time at which it may have
// kept its object from others, other than by a key that shows.
func (r *record) mayHaveKept(s *subject, requests []*history.Operation) []time.Duration {
	kept := make([]time.Duration, len(requests))
	for i, op := range requests {
		released := r.useOf(op.ID).released
		end, ended := r.leaseEnds[op.Lease]
		switch {
		case op.Outcome == history.Fail:
			kept[i] = op.Return
		case released != nil:
			kept[i] = released.Return
		case r.shows(s):
			kept[i] = r.ended(op)
			if h := r.holdOf(op.ID); h != nil {
				kept[i] = max(kept[i], h.End)
			}
		case ended && op.Lease != 0:
			kept[i] = max(r.ended(op), end.latest) + r.o.Grace
		default:
			kept[i] = history.Never
		}
	}
	return kept
}

// shows is true if whoever keeps an object of the subject has a key that is
// surely in the log.
func (r *record) shows(s *subject) bool {
	return s.Layout != history.NoLayout && r.log != nil && r.complete && r.covers(r.log.Start, r.through)
}

// presence is when an object may have had keys.
type presence struct {
	ob      *object
	tenures []tenure
	// until is, for each tenure, the last time at which it or one before it may
	// have been there.
	until []time.Duration
}

// presences is nil for a subject whose keys need not show who keeps an object.
func (r *record) presences(s *subject, ob *object) *presence {
	if !r.shows(s) {
		return nil
	}
	p := &presence{ob: ob, tenures: ob.tenures, until: make([]time.Duration, len(ob.tenures))}
	last := time.Duration(-1)
	for i := range ob.tenures {
		gone := history.Never
		if t := &ob.tenures[i]; t.Delete != 0 {
			gone = r.log.Latest(t.Delete)
		}
		last = max(last, gone)
		p.until[i] = last
	}
	return p
}

// during is true if a key that may be another client's than the try's may have
// been there at some time between its call and its return. Keys of its own session
// are its client's own, unless clients share it.
func (p *presence) during(r *record, op *history.Operation) bool {
	if p == nil {
		return false
	}
	after := sort.Search(len(p.tenures), func(k int) bool { return r.log.Earliest(p.tenures[k].Create) > op.Return })
	for i := after - 1; i >= 0 && p.until[i] >= op.Call; i-- {
		t := &p.tenures[i]
		if (t.Delete == 0 || r.log.Latest(t.Delete) >= op.Call) && (t.Lease != op.Lease || p.ofAnother(r, t, op.Client)) {
			return true
		}
	}
	return false
}

// ofAnother is true if another than the client may have made a key of a session
// that they share.
func (p *presence) ofAnother(r *record, t *tenure, client string) bool {
	return r.shared(t.Lease) && slices.ContainsFunc(p.ob.acquires, func(op *history.Operation) bool {
		return op.Lease == t.Lease && op.Client != client && (op.Token == 0 || op.Token == t.Create) && r.mayHaveMade(op, t)
	})
}
