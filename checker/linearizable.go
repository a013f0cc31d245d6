package checker

import (
	"fmt"

	"github.com/etcd-holdfast/holdfast/checker/exact"
	"github.com/etcd-holdfast/holdfast/history"
)

// Linearizable: of queues and barriers see linearizableCalls. The reads of an election's leader value, next to its changes,
// are linearizable: each read returned the value of some instant between its
// call and its return.
//
// The log gives the changes and their order; each happened within its bounds.
// exact.LeaderValue decides it from that, and says why it is exact. Where the
// history is short enough porcupine is asked too; should it disagree, the
// property is unknown.
//
// Reads that end after what the log surely reaches are left out, which is
// sound, as reads change nothing; they make the property unknown.
func linearizable(r *record, s *subject) *judgement {
	if s.Primitive == history.Queue || s.Primitive == history.PriorityQueue || s.Primitive == history.Barrier || s.Primitive == history.DoubleBarrier {
		return linearizableCalls(r, s)
	}
	if s.Primitive == history.Register {
		return register(r, s)
	}
	if s.Primitive != history.Election || s.Layout != history.OldestKey {
		return nil
	}
	j := &judgement{}
	applies := false
	reads, unjudged, confirmed, disputed := 0, 0, 0, 0
	for _, ob := range s.objects {
		var known []*history.Operation
		for _, op := range ob.operations {
			if op.Kind != history.Leader || r.foreign(s, ob, op.Key) { // observe tells of those
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
		if !r.o.Unconfirmed {
			if legal, asked := secondOpinion(sequence, known); asked && legal == (len(wrong) == 0) {
				confirmed++
			} else if asked {
				disputed++
			}
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

// misread gives every read a state and returns those for which none is left, by
// their returns.
func misread(sequence []reign, reads []*history.Operation) []misreading {
	var symbols history.Trace // numbers the values
	states := make([]exact.Reign, len(sequence))
	for i, g := range sequence {
		states[i] = exact.Reign{Earliest: int64(g.earliest), Latest: int64(g.latest), Value: symbols.Symbol(g.value)}
	}
	calls := make([]history.Call, len(reads))
	for i, op := range reads {
		calls[i] = history.Call{
			ID: op.ID, Invoke: int64(op.Call), Return: int64(op.Return), Value: symbols.Symbol(op.Value),
			Function: history.FunctionRead, Known: history.Succeeded,
		}
	}
	var wrong []misreading
	for _, m := range exact.LeaderValue(states, calls) {
		found := misreading{read: reads[m.Read], state: sequence[m.State]}
		if m.After >= 0 {
			found.after = reads[m.After]
		}
		wrong = append(wrong, found)
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
	switch {
	case m.after != nil:
		f.Cause = "older than another read before it"
	case m.state.from == 0:
		f.Cause = "nobody can have become that by then"
	default:
		f.Cause = "older than the last change"
	}
	f.tell = func() string {
		leader := func(v string) string {
			if v == "" {
				return "no leader"
			}
			return fmt.Sprintf("the leader value %q", v)
		}
		text := fmt.Sprintf("%s's read of %s, called at %s, returned %s at %s", m.read.Client, history.Called(ob.name), at(m.read.Call), leader(m.read.Value), at(m.read.Return))
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
