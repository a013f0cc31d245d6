package checker

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/etcd-holdfast/holdfast/history"
)

// Fencing: the fenced resource accepts no token after a higher one, and no
// update that it acknowledged to a fenced client is lost. A write that is
// guarded by etcd succeeds only while its client owns.
//
// The resource numbers what it accepts, and that total order is all there is
// to check: along it tokens never fall, and each write is built on the value
// of the one accepted before it. A write whose outcome nobody knows may have
// been accepted, so an accepted one may be built on it, if that one was built
// on the right value itself. A guarded write carries the revision that it
// made: the log tells exactly whether its key was alive then. Values are
// unique in a run, so no search is needed and the check is exact.
//
// A read without a token is not held to the order of tokens: it is the
// harness's own, of the last state.
//
// A leadership that is resumed goes on with its token. So a write that its dead
// leader had on the way may be accepted after those of its successor: no token
// tells the two apart, and what it overwrites is not held against the subject.
func fencing(r *record, s *subject) *judgement {
	j := &judgement{}
	var accepted, refused, guarded, unjudged int
	applies := false
	for _, ob := range s.objects {
		var resource []*history.Operation
		unsure := make(map[string]*history.Operation) // by value
		for _, op := range ob.operations {
			switch op.Kind {
			case history.FencedRead, history.FencedWrite:
				applies = true
				write := op.Kind == history.FencedWrite
				switch {
				case op.Outcome == history.Ok:
					resource = append(resource, op)
					if write {
						accepted++
					}
				case op.Outcome == history.Fail:
					refused++
				case write:
					unsure[op.Value] = op
				}
			case history.GuardedWrite:
				applies = true
				if op.Outcome == history.Fail {
					refused++
				}
				if op.Outcome != history.Ok {
					continue
				}
				accepted++
				guarded++
				if op.Token == 0 {
					continue // the subject cannot say which key guards it
				}
				f, ok := r.guarded(s, ob, op)
				if f != nil {
					j.findings = append(j.findings, *f)
				} else if !ok {
					unjudged++
				}
			}
		}
		r.alongResource(s, j, resource, unsure)
		r.risingTokens(s, ob, j)
	}
	if !applies {
		return nil
	}
	j.figures = map[string]float64{
		"accepted": float64(accepted), "refused": float64(refused), "guarded": float64(guarded),
		"refused_percent": percent(refused, accepted+refused),
	}
	j.holds = fmt.Sprintf("%s accepted in the order of their tokens and none lost, %d refused", count(accepted, "fenced write"), refused)
	if unjudged > 0 {
		j.unknown = fmt.Sprintf("%d of %s cannot be judged: the revision log does not cover them", unjudged, count(guarded, "guarded write"))
	}
	if accepted == 0 {
		j.vacuous = "no fenced write was accepted"
	}
	return j
}

// risingTokens finds an exclusive hold whose token is not higher than that of a
// hold which had been released, successfully, before it was asked for: fencing
// by such tokens would let the older holder in, or keep the newer one out. Two
// holds without an overlap have a certain order, so that this is exact.
//
// The same goes for a hold that was asked for before, but was granted only after
// the other had been released, if its session's lease was alive then and no
// fault was near: it was not granted before the other, beside which it would
// then have held.
func (r *record) risingTokens(s *subject, ob *object, j *judgement) {
	type end struct{ release, fenced *history.Operation }
	var ends []end
	var begun []*history.Operation
	for _, op := range ob.acquires {
		if op.Outcome != history.Ok || op.Mode == history.ReadMode {
			continue
		}
		used := r.useOf(op.ID)
		if used.fenced == nil {
			continue
		}
		begun = append(begun, op)
		if used.released != nil {
			ends = append(ends, end{used.released, used.fenced})
		}
	}
	if len(ends) == 0 {
		return
	}
	slices.SortFunc(ends, func(a, b end) int { return cmp.Compare(a.release.Return, b.release.Return) })
	found := make(map[int64]bool)
	var highest *history.Operation
	next := 0
	for _, op := range begun { // by call
		for ; next < len(ends) && ends[next].release.Return <= op.Call; next++ {
			if f := ends[next].fenced; highest == nil || f.Token > highest.Token {
				highest = f
			}
		}
		mine := r.useOf(op.ID).fenced
		if op.Kind == history.Resume || highest == nil || mine.Token > highest.Token || mine.Token == highest.Token && mine.Client == highest.Client {
			continue
		}
		other := highest
		found[op.ID] = true
		j.findings = append(j.findings, r.fencingFinding(s, mine, other, "token not above that of a hold released before", func() string {
			return fmt.Sprintf("%s asked for %s at %s and was given token %d, although %s, with token %d, had released it before: tokens must rise",
				op.Client, history.Called(op.Object), at(op.Call), mine.Token, other.Client, other.Token)
		}))
	}
	slices.SortStableFunc(begun, func(a, b *history.Operation) int { return cmp.Compare(a.Return, b.Return) })
	highest, next = nil, 0
	for _, op := range begun { // by return
		for ; next < len(ends) && ends[next].release.Return <= op.Return; next++ {
			if f := ends[next].fenced; highest == nil || f.Token > highest.Token {
				highest = f
			}
		}
		mine := r.useOf(op.ID).fenced
		if op.Kind == history.Resume || highest == nil || mine.Token > highest.Token || found[op.ID] || highest.Hold == op.ID ||
			r.log == nil || !r.leaseAlive(op.Lease, op.Return) || r.harmed(op.Client, op.Call-faultsFelt, op.Return) {
			continue
		}
		other := highest
		j.findings = append(j.findings, r.fencingFinding(s, mine, other, "token not above that of a hold released before it was granted", func() string {
			return fmt.Sprintf("%s was told at %s that it holds %s and given token %d, although %s, with token %d, had held and released it before: tokens must rise",
				op.Client, at(op.Return), history.Called(op.Object), mine.Token, other.Client, other.Token)
		}))
	}
}

// alongResource follows one resource's order.
func (r *record) alongResource(s *subject, j *judgement, accepted []*history.Operation, unsure map[string]*history.Operation) {
	slices.SortStableFunc(accepted, func(a, b *history.Operation) int {
		rank := func(op *history.Operation) int {
			if op.Kind == history.FencedWrite {
				return 0 // a read at a write's position saw that write
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.Revision, b.Revision), cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Token, b.Token), cmp.Compare(a.ID, b.ID))
	})
	value := ""
	var highest, last *history.Operation
	for _, op := range accepted {
		if op.Token != 0 || op.Kind == history.FencedWrite {
			if higher := highest; higher != nil && op.Token < higher.Token {
				j.findings = append(j.findings, r.fencingFinding(s, op, higher, "token accepted after a higher one", func() string {
					return fmt.Sprintf("the resource %s accepted token %d of %s (%s, position %d) after token %d of %s (position %d)",
						history.Called(op.Object), op.Token, op.Client, op.Kind, op.Revision, higher.Token, higher.Client, higher.Revision)
				}))
			} else {
				highest = op
			}
		}
		saw := op.Value
		if op.Kind == history.FencedWrite {
			saw = op.Prior
		}
		if late := r.late(saw, last, unsure); late != nil && !leadsTo(saw, value, unsure) {
			value = late.Value
			delete(unsure, late.Value) // it happens once
		}
		if !leadsTo(saw, value, unsure) {
			lost, cause := last, "an acknowledged update is lost"
			if lost == nil {
				cause = "value that nobody had written"
			}
			j.findings = append(j.findings, r.fencingFinding(s, op, lost, cause, func() string {
				if lost == nil {
					return fmt.Sprintf("%s's %s at position %d saw %q in %s, which nobody had written yet", op.Client, op.Kind, op.Revision, saw, history.Called(op.Object))
				}
				return fmt.Sprintf("%s's %s at position %d saw %q in %s and not %q, which %s had written at position %d and which was acknowledged: that update is lost",
					op.Client, op.Kind, op.Revision, saw, history.Called(op.Object), lost.Value, lost.Client, lost.Revision)
			}))
		}
		if op.Kind == history.FencedWrite {
			value, last = op.Value, op
		} else if saw != value && leadsTo(saw, value, unsure) {
			value = saw // a read settles that a write of unknown outcome happened
		}
	}
}

// leadsTo is true if value v was built on base by writes of unknown outcome,
// or is base itself.
func leadsTo(v, base string, unsure map[string]*history.Operation) bool {
	for steps := 0; v != base; steps++ {
		w := unsure[v]
		if w == nil || steps > len(unsure) {
			return false
		}
		v = w.Prior
	}
	return true
}

// late returns the write of unknown outcome by which, or by others built on it,
// value v came to be, if a dead leader made it and last, which it may have
// overwritten, was written under its resumed leadership; or nil.
func (r *record) late(v string, last *history.Operation, unsure map[string]*history.Operation) *history.Operation {
	if last == nil || last.Token == 0 {
		return nil
	}
	if resume := r.h.Operation(last.Hold); resume == nil || resume.Kind != history.Resume {
		return nil
	}
	for range len(unsure) {
		w := unsure[v]
		if w == nil {
			return nil
		}
		if _, dead := r.crashed[w.Client]; dead && w.Client != last.Client && w.Token == last.Token {
			return w
		}
		v = w.Prior
	}
	return nil
}

// fencingFinding makes a violation of op, next to other if there is one. It
// inherits the blame of a lie through which either came to its token.
func (r *record) fencingFinding(s *subject, op, other *history.Operation, cause string, tell func() string) finding {
	f := finding{tell: tell}
	f.Violation = Violation{Blame: s.culprit(), Call: op.Kind, Cause: cause, Witness: []int64{op.ID}, From: op.Call, To: op.Return, Object: op.Object}
	lie := s.lies[op.Hold]
	if other != nil {
		f.Witness = []int64{other.ID, op.ID}
		f.From = min(f.From, other.Call)
		if lie == nil {
			lie = s.lies[other.Hold]
		}
	}
	if lie != nil {
		f.Blame, f.Known, f.Cause = lie.Blame, lie.Known, cause+", "+following(lie)
		f.tell = func() string { return tell() + "; its token comes from a false success: " + lie.clause() }
	}
	return f
}

// guarded judges one accepted guarded write; ok is false if the log does not
// cover it.
func (r *record) guarded(s *subject, ob *object, op *history.Operation) (f *finding, ok bool) {
	holder, key, token := ob, op.Key, op.Token
	if h := r.holdOf(op.Hold); h != nil {
		if token == 0 {
			key, token = h.Key, h.Token
		}
		if o := r.objects[objectID{h.Subject, h.Object}]; o != nil {
			holder = o
		}
	}
	if r.log == nil || token == 0 || op.Revision == 0 {
		return nil, false
	}
	t, _ := holder.identified(key, token)
	var clause func() string
	var cause string
	switch {
	case t == nil && (!r.covers(token, token) || !r.belowPrefix(key)):
		return nil, false
	case t == nil:
		cause = "guarded by a key that is not in the log"
		clause = func() string { return "the revision log has no such key" }
	case t.Delete != 0 && op.Revision >= t.Delete:
		cause = "guarded by a key that was gone"
		clause = func() string { return "its key " + r.deletion(t.Life) }
	case op.Revision < t.Create:
		cause = "guarded by a key that was not there yet"
		clause = func() string { return "its key was created only then" }
	case s.Layout != history.NoLayout && op.Revision < t.owns:
		cause = "guarded by a key that did not own yet"
		clause = func() string { return "its key did not own yet, " + r.turn(holder, t) }
	default:
		return nil, op.Revision < t.gone
	}
	made := r.fencingFinding(s, op, nil, cause, func() string {
		return fmt.Sprintf("%s's write at rev %d, guarded by its key (rev %d), was accepted, but %s", op.Client, op.Revision, token, clause())
	})
	if t == nil && made.Known == "" && s.Origin != history.Broken {
		made.Blame = BlameServer
	}
	return &made, true
}
