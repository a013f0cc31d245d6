package checker

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/etcd-holdfast/holdfast/history"
)

// entrances judges a double barrier by its members' keys.
//
// An Enter is true only if, at some revision that can lie within the call, as
// many keys as must enter were there, one of them put by the caller during the
// call. A Leave is false if somebody who had entered before its call, as the
// caller had, was surely still in when it returned. Times are taken within the
// log's bounds such that the call is true if it can be.
//
// A client is known by its session's lease, on which its key is.
func entrances(r *record, s *subject) *judgement {
	j := &judgement{}
	entered, left, unjudged := 0, 0, 0
	for _, ob := range s.objects {
		full := r.full(s, ob)
		inside := make(map[string]*history.Operation) // by client: the Enter that it has not left
		for _, op := range byReturn(ob) {
			if op.Outcome != history.Ok || op.Kind != history.Enter && op.Kind != history.Leave {
				continue
			}
			judged := r.log != nil && op.Lease != 0 && r.seesAllBy(r.log.Start, op.Return)
			if !judged {
				unjudged++
			}
			switch {
			case op.Kind == history.Enter:
				entered++
				if judged && !r.met(s, ob, op, full) {
					j.findings = append(j.findings, r.enteredAlone(s, ob, op, full))
				}
				inside[op.Client] = op
			default:
				left++
				own := inside[op.Client]
				delete(inside, op.Client)
				if !judged || own == nil || own.Lease != op.Lease {
					continue
				}
				if f := r.leftBehind(s, ob, op, inside); f != nil {
					j.findings = append(j.findings, *f)
				}
			}
		}
	}
	j.figures = map[string]float64{"entered": float64(entered), "left": float64(left), "false": float64(len(j.findings)), "unjudged": float64(unjudged)}
	j.holds = fmt.Sprintf("%d entered with as many as had to, and %d left with them", entered, left)
	if unjudged > 0 {
		j.unknown = fmt.Sprintf("%d of %s cannot be judged: the revision log does not cover them", unjudged, count(entered+left, "call"))
	}
	if entered == 0 {
		j.vacuous = "nobody entered"
	}
	return j
}

// byReturn are an object's calls that returned, in that order.
func byReturn(ob *object) []*history.Operation {
	var all []*history.Operation
	for _, op := range ob.operations {
		if op.Completed() {
			all = append(all, op)
		}
	}
	sort.SliceStable(all, func(i, k int) bool { return all[i].Return < all[k].Return })
	return all
}

// isMember is true if a key stands for somebody who waits or is in.
func (r *record) isMember(s *subject, ob *object, life *history.Life) bool {
	return strings.HasPrefix(life.Key, r.h.Header.ObjectPrefix(s.Name, ob.name)+"/waiters/")
}

// stretch is revisions, to excluded, at which enough members' keys were there.
type stretch struct{ from, to int64 }

// full returns the stretches at which as many members' keys as must enter were
// there.
func (r *record) full(s *subject, ob *object) []stretch {
	type change struct {
		revision int64
		by       int
	}
	var changes []change
	for i := range ob.tenures {
		if life := ob.tenures[i].Life; r.isMember(s, ob, life) {
			changes = append(changes, change{life.Create, 1})
			if life.Delete != 0 {
				changes = append(changes, change{life.Delete, -1})
			}
		}
	}
	sort.SliceStable(changes, func(i, k int) bool { return changes[i].revision < changes[k].revision })
	var full []stretch
	there, need := 0, max(s.Permits, 1)
	for i := 0; i < len(changes); {
		before, revision := there, changes[i].revision
		for ; i < len(changes) && changes[i].revision == revision; i++ {
			there += changes[i].by
		}
		switch {
		case before < need && there >= need:
			full = append(full, stretch{revision, 1<<63 - 1})
		case before >= need && there < need:
			full[len(full)-1].to = revision
		}
	}
	return full
}

// keysOf are the keys that the caller may have put during a call.
func (r *record) keysOf(s *subject, ob *object, op *history.Operation) []*tenure {
	var own []*tenure
	first := sort.Search(len(ob.tenures), func(k int) bool { return r.log.Latest(ob.tenures[k].Create) >= op.Call })
	for i := first; i < len(ob.tenures) && r.log.Earliest(ob.tenures[i].Create) <= op.Return; i++ {
		if t := &ob.tenures[i]; t.Lease == op.Lease && r.isMember(s, ob, t.Life) {
			own = append(own, t)
		}
	}
	return own
}

// met is true if the caller's key and enough others can have been there at once
// within the call.
func (r *record) met(s *subject, ob *object, op *history.Operation, full []stretch) bool {
	for _, t := range r.keysOf(s, ob, op) {
		k := sort.Search(len(full), func(k int) bool { return full[k].to > t.Create })
		if k == len(full) {
			continue
		}
		at := max(full[k].from, t.Create)
		if (t.Delete == 0 || at < t.Delete) && r.log.Earliest(at) <= op.Return {
			return true
		}
	}
	return false
}

func (r *record) enteredAlone(s *subject, ob *object, op *history.Operation, full []stretch) finding {
	var own *tenure
	if keys := r.keysOf(s, ob, op); len(keys) > 0 {
		own = keys[len(keys)-1]
	}
	cause := "entered before enough were there"
	switch {
	case own == nil:
		cause = "entered without a key"
	case own.Delete != 0 && r.log.Earliest(own.Delete) <= op.Return:
		cause = r.lossOf(own.Life) + " while waiting"
	}
	f := finding{}
	f.Violation = Violation{Blame: s.culprit(), Known: r.known(s, Passage, op, own), Call: op.Kind, Cause: cause, Witness: []int64{op.ID}, From: op.Call, To: op.Return, Object: op.Object}
	f.tell = func() string {
		text := fmt.Sprintf("%s was told at %s that it entered %s (enter called at %s), ", op.Client, at(op.Return), history.Called(op.Object), at(op.Call))
		switch {
		case own == nil:
			return text + "but it never had a key there during the call"
		case own.Delete != 0 && r.log.Earliest(own.Delete) <= op.Return:
			return text + fmt.Sprintf("but its key (rev %d) %s, before %d were there", own.Create, r.deletion(own.Life), max(s.Permits, 1))
		}
		k := sort.Search(len(full), func(k int) bool { return full[k].to > own.Create })
		if k < len(full) {
			return text + fmt.Sprintf("but not before %s were there %d, its own (rev %d) among them", r.revision(max(full[k].from, own.Create)), max(s.Permits, 1), own.Create)
		}
		return text + fmt.Sprintf("but as long as its key (rev %d) was there, there were never %d", own.Create, max(s.Permits, 1))
	}
	return f
}

// leftBehind is the violation of a Leave that returned while somebody who had
// entered before it was surely in, or nil.
func (r *record) leftBehind(s *subject, ob *object, op *history.Operation, inside map[string]*history.Operation) *finding {
	for _, client := range slices.Sorted(maps.Keys(inside)) {
		other := inside[client]
		if other.Lease == op.Lease || other.Return >= op.Call {
			continue
		}
		for _, t := range r.keysOf(s, ob, other) {
			if r.log.Latest(t.Create) >= op.Call || r.log.Earliest(t.gone) <= op.Return {
				continue
			}
			f := &finding{}
			f.Violation = Violation{Blame: s.culprit(), Known: r.known(s, Passage, op, t), Call: op.Kind, Cause: "left while another was in", Witness: []int64{other.ID, op.ID}, From: op.Call, To: op.Return, Object: op.Object}
			f.tell = func() string {
				return fmt.Sprintf("%s was told at %s that it left %s with all others (leave called at %s), but %s, who had entered by %s, was still in: its key (rev %d) %s",
					op.Client, at(op.Return), history.Called(op.Object), at(op.Call), other.Client, at(other.Return), t.Create, r.deletion(t.Life))
			}
			return f
		}
	}
	return nil
}
