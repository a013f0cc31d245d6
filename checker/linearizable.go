package checker

import (
	"fmt"
	"sort"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// Linearizable: the reads of an election's leader value, next to its changes,
// are linearizable: each read returned the value of some instant between its
// call and its return.
//
// The log gives the changes and their order; each happened within its bounds.
// So the order of the writes is forced, and what is left is to give every read
// a state of the sequence that has its value, such that the reads keep their
// real-time order and no read sees a change that cannot have happened by its
// return, or misses one that had surely happened before its call. Taking the
// reads by return and giving each the earliest state that is allowed decides
// it: a later choice only narrows what is left for the reads that follow. That
// is exact and needs no search: O(n log n). The argument is that of the
// register with known order in Gibbons and Korach, "Testing shared memories"
// (SIAM J. Comput. 26, 1997). Where the history is short enough porcupine is
// asked too; should it disagree, the property is unknown.
//
// Reads that end after what the log surely reaches are left out, which is
// sound, as reads change nothing; they make the property unknown.
func linearizable(r *record, s *subject) *judgement {
	if s.Primitive != history.Election || s.Layout != history.OldestKey {
		return nil
	}
	j := &judgement{}
	applies := false
	reads, unjudged, confirmed, disputed := 0, 0, 0, 0
	for _, ob := range s.objects {
		var known []*history.Operation
		for _, op := range ob.operations {
			if op.Kind != history.Leader {
				continue
			}
			applies = true
			if op.Outcome != history.Ok {
				continue
			}
			reads++
			if r.log == nil || !r.seesAllBy(r.log.Start, op.Return) {
				unjudged++
				continue
			}
			known = append(known, op)
		}
		if len(known) == 0 {
			continue
		}
		sequence := r.reigns(ob)
		wrong := misread(sequence, known)
		if legal, asked := secondOpinion(sequence, known); asked && legal == (len(wrong) == 0) {
			confirmed++
		} else if asked {
			disputed++
		}
		for _, m := range wrong {
			j.findings = append(j.findings, r.misreadFinding(s, ob, m))
		}
	}
	if !applies {
		return nil
	}
	j.figures = map[string]float64{"reads": float64(reads), "misread": float64(len(j.findings)), "unjudged": float64(unjudged), "confirmed_by_porcupine": float64(confirmed)}
	j.holds = fmt.Sprintf("%s of the leader value are linearizable", count(reads, "read"))
	if unjudged > 0 {
		j.unknown = fmt.Sprintf("%d of %s cannot be judged: the revision log does not cover them", unjudged, count(reads, "read"))
	}
	if disputed > 0 {
		j.unknown = fmt.Sprintf("the sweep and porcupine disagree on %s: that is a bug in holdfast, please report it with this run", count(disputed, "election"))
	}
	if reads == 0 {
		j.vacuous = "no read of the leader value succeeded"
	}
	return j
}

// misreading is a read for which no state is left.
type misreading struct {
	read *history.Operation
	// after is the earlier read that had seen a later state, if that is why.
	after *history.Operation
	// state is the one that the read had to see at the least.
	state reign
}

// misread gives every read a state and returns those for which none is left.
// Of the reads up to the first of them by return, that one is needed to prove
// the violation; it is left out for the rest.
func misread(sequence []reign, reads []*history.Operation) []misreading {
	states := make(map[string][]int)
	for i := range sequence {
		states[sequence[i].value] = append(states[sequence[i].value], i)
	}
	reads = append([]*history.Operation(nil), reads...)
	sort.SliceStable(reads, func(i, k int) bool { return reads[i].Return < reads[k].Return })

	type seen struct {
		until time.Duration
		state int
		by    *history.Operation
	}
	var settled []seen // by until, state rising: the latest state seen by reads that returned until then
	var wrong []misreading
	for _, op := range reads {
		// Changes that had surely happened before the call cannot be missed.
		least := max(0, sort.Search(len(sequence), func(k int) bool { return k > 0 && sequence[k].latest >= op.Call })-1)
		var after *history.Operation
		if k := sort.Search(len(settled), func(k int) bool { return settled[k].until >= op.Call }); k > 0 && settled[k-1].state > least {
			least, after = settled[k-1].state, settled[k-1].by
		}
		candidates := states[op.Value]
		k := sort.SearchInts(candidates, least)
		if k == len(candidates) || sequence[candidates[k]].earliest > op.Return {
			wrong = append(wrong, misreading{op, after, sequence[least]})
			continue
		}
		if n := len(settled); n == 0 || settled[n-1].state < candidates[k] {
			settled = append(settled, seen{op.Return, candidates[k], op})
		}
	}
	return wrong
}

func (r *record) misreadFinding(s *subject, ob *object, m misreading) finding {
	f := finding{}
	blame := BlameServer // the recipe reads the store once and adds nothing
	if s.Origin != history.FromEtcd {
		blame = BlameSubject
	}
	f.Violation = Violation{Blame: blame, Witness: []int64{m.read.ID}, From: m.read.Call, To: m.read.Return, Object: ob.name}
	if m.after != nil {
		f.Witness = []int64{m.after.ID, m.read.ID}
	}
	f.tell = func() string {
		leader := func(v string) string {
			if v == "" {
				return "no leader"
			}
			return fmt.Sprintf("the leader value %q", v)
		}
		text := fmt.Sprintf("%s's read of %s, called at %s, returned %s at %s", m.read.Client, ob.name, at(m.read.Call), leader(m.read.Value), at(m.read.Return))
		if m.after != nil {
			return text + fmt.Sprintf(", although %s's read had returned %s at %s, which came later", m.after.Client, leader(m.after.Value), at(m.after.Return))
		}
		if m.state.from == 0 {
			return text + ", which nobody can have become by then"
		}
		return text + fmt.Sprintf(", although %s had been there since %s and that one was not true again by then", leader(m.state.value), r.revision(m.state.from))
	}
	return f
}
