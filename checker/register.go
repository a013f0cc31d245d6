package checker

import (
	"context"
	"fmt"
	"sort"

	"github.com/etcd-holdfast/holdfast/checker/exact"
	"github.com/etcd-holdfast/holdfast/history"
)

// registerSteps bounds the general search, at the same place everywhere.
const registerSteps = 5_000_000

// register is linearizable of a register in the store. Two things are judged.
//
// The calls alone, as clients were told: exact.KV decides them where every
// answer has a revision, exact's search for a register with compare-and-set
// elsewhere. What the revision log knows of writes of unknown outcome is used.
//
// And each read by the log, where the subject has a layout: it read what the
// store had at the revision of the answer, a revision that cannot have been made
// after the read returned; and the value had not surely been replaced before the
// read was called. A subject that promises only reads which may be stale is not
// held to the last of these, nor are its reads among the calls.
func register(r *record, s *subject) *judgement {
	j := &judgement{}
	stale := s.Promise == history.MayBeStale
	trace := r.h.KeyTrace(s.Name, !stale)
	var reads, writes, unjudged, old int
	names := make(map[string]*object)
	for _, ob := range s.objects {
		names[ob.name] = ob
		for _, op := range ob.operations {
			switch {
			case op.Outcome != history.Ok:
			case op.Kind == history.Get:
				reads++
			case op.Kind == history.Put, op.Kind == history.CompareAndSet:
				writes++
			}
		}
		if s.Layout != history.OneKey {
			continue
		}
		states := r.statesOf(s, ob)
		for _, op := range ob.operations {
			if op.Kind != history.Get || op.Outcome != history.Ok {
				continue
			}
			f, isOld, ok := r.judgeRead(s, ob, op, states, stale)
			switch {
			case f != nil:
				j.findings = append(j.findings, *f)
			case !ok:
				unjudged++
			case isOld:
				old++
			}
		}
	}
	undecided := ""
	trace.ByObject(func(o int32, calls []history.Call) {
		model, _ := exact.ModelNamed("kv")
		result := model.Check(context.Background(), calls, exact.Parameters{}, exact.Limits{Unconfirmed: r.o.Unconfirmed})
		if result.Unknown != "" {
			model, _ = exact.ModelNamed("cas-register")
			result = model.Check(context.Background(), calls, exact.Parameters{}, exact.Limits{Steps: registerSteps, Unconfirmed: r.o.Unconfirmed})
		}
		switch v := result.Violation; {
		case v != nil:
			f := finding{}
			f.Violation = Violation{Blame: s.storeBlame(), Cause: "no order of the calls keeps the rules of a register", Object: trace.Objects[o]}
			for i := range v.Witness {
				f.Witness = append(f.Witness, v.Witness[i].ID)
				if op := r.h.Operation(v.Witness[i].ID); op != nil {
					if f.To == 0 || op.Call < f.From {
						f.From = op.Call
					}
					f.To = max(f.To, r.ended(op))
				}
			}
			sort.Slice(f.Witness, func(i, k int) bool { return f.Witness[i] < f.Witness[k] })
			f.tell = func() string { return v.Sentence(trace) }
			j.findings = append(j.findings, f)
		case result.Unknown != "":
			undecided = trace.Objects[o] + ": " + result.Unknown
		}
	})
	j.figures = map[string]float64{
		"reads": float64(reads), "writes": float64(writes), "misread": float64(len(j.findings)), "unjudged": float64(unjudged), "stale_reads": float64(old),
	}
	j.holds = fmt.Sprintf("%s and %s are linearizable", count(reads, "read"), count(writes, "write"))
	if stale {
		j.holds = fmt.Sprintf("%s are linearizable, and %s were of states that had been, %d of them replaced before, as is permitted", count(writes, "write"), count(reads, "read"), old)
	}
	if unjudged > 0 {
		j.unknown = fmt.Sprintf("%d of %s cannot be judged: the revision log does not cover them", unjudged, count(reads, "read"))
	}
	if undecided != "" {
		j.unknown = undecided
	}
	if reads == 0 || writes == 0 {
		j.vacuous = fmt.Sprintf("%s and %s succeeded: nothing was put to the test", count(reads, "read"), count(writes, "write"))
	}
	return j
}

// storeBlame is whom a wrong answer of the store itself blames: the library
// passes on what it is told.
func (s *subject) storeBlame() Blame {
	if s.Origin == history.FromEtcd {
		return BlameServer
	}
	return BlameSubject
}

// statesOf lists the changes of a register's key.
func (r *record) statesOf(s *subject, ob *object) []*history.Change {
	if r.log == nil {
		return nil
	}
	key := r.h.Header.ObjectPrefix(s.Name, ob.name) + "/value"
	var states []*history.Change
	for i := range r.log.Changes {
		if c := &r.log.Changes[i]; c.Key == key && c.Revision <= r.through {
			states = append(states, c)
		}
	}
	return states
}

// judgeRead judges one read by the log. Old is true if the value had surely been
// replaced before the call; ok is false if the log does not tell.
func (r *record) judgeRead(s *subject, ob *object, op *history.Operation, states []*history.Change, stale bool) (f *finding, old, ok bool) {
	wrong := func(cause, clause string) *finding {
		f := &finding{}
		f.Violation = Violation{Blame: s.storeBlame(), Call: op.Kind, Cause: cause, Witness: []int64{op.ID}, From: op.Call, To: op.Return, Object: ob.name}
		f.tell = func() string {
			value := fmt.Sprintf("%q (rev %d)", op.Value, op.Token)
			if op.Value == "" {
				value = "nothing"
			}
			return fmt.Sprintf("%s's read of %s, called at %s, returned %s at %s, %s", op.Client, history.Called(ob.name), at(op.Call), value, at(op.Return), clause)
		}
		return f
	}
	if r.log == nil || op.Revision == 0 || !r.covers(r.log.Start, op.Revision) {
		return nil, false, false
	}
	if r.log.Earliest(op.Revision) > op.Return {
		return wrong("as of a revision that came later", fmt.Sprintf("as of rev %d, which came later", op.Revision)), false, true
	}
	next := sort.Search(len(states), func(k int) bool { return states[k].Revision > op.Revision })
	value, made := "", int64(0)
	if next > 0 && !states[next-1].Deleted {
		value, made = states[next-1].Value, states[next-1].Revision
	}
	if value != op.Value || op.Token != 0 && made != op.Token {
		return wrong("not what the store had at its revision", fmt.Sprintf("as of rev %d, where the store had %q (rev %d)", op.Revision, value, made)), false, true
	}
	old = next < len(states) && r.log.Latest(states[next].Revision) < op.Call
	if old && !stale {
		return wrong("replaced before the call", fmt.Sprintf("although %q had replaced it at %s", states[next].Value, r.revision(states[next].Revision))), true, true
	}
	return nil, old, true
}
