package checker

import (
	"context"
	"fmt"

	"github.com/etcd-holdfast/holdfast/checker/exact"
	"github.com/etcd-holdfast/holdfast/history"
)

// traceOf returns a subject's calls as the model of its primitive sees them,
// and which model that is.
func (r *record) traceOf(s *subject) (*history.Trace, string) {
	switch s.Primitive {
	case history.Queue:
		return r.h.QueueTrace(s.Name), "queue"
	case history.PriorityQueue:
		return r.h.QueueTrace(s.Name), "priority-queue"
	case history.Barrier:
		return r.h.BarrierTrace(s.Name), "barrier"
	default:
		return r.h.DoubleBarrierTrace(s.Name), "double-barrier"
	}
}

// searchLimits bound the general search where a model needs it. They are steps
// and bytes, not time, so that the verdict is the same everywhere.
func (r *record) searchLimits() exact.Limits {
	return exact.Limits{Bytes: 256 << 20, Steps: 20e6, Unconfirmed: r.o.Unconfirmed}
}

// linearizableCalls judges the calls of a queue, a barrier or a double barrier
// by the model of its primitive. The traces say what of the revision log they
// use, and exact.Model why the answer is exact.
//
// Of each object only the violation that is proved first is told.
func linearizableCalls(r *record, s *subject) *judgement {
	j := &judgement{}
	t, name := r.traceOf(s)
	model, ok := exact.ModelNamed(name)
	if !ok {
		return nil
	}
	waited, unknown := 0, 0
	for i := range t.Calls {
		c := &t.Calls[i]
		switch c.Function {
		case history.FunctionDequeue, history.FunctionWait, history.FunctionEnter:
			if c.Known == history.Succeeded {
				waited++
			}
		}
		if c.Known == history.Unknown {
			unknown++
		}
	}
	t.ByObject(func(o int32, calls []history.Call) {
		result := model.Check(context.Background(), calls, exact.Parameters{Parties: max(s.Permits, 1)}, r.searchLimits())
		switch v := result.Violation; {
		case v != nil:
			j.findings = append(j.findings, r.illegal(s, t, name, o, v))
		case result.Unknown != "":
			j.unknown = fmt.Sprintf("%s cannot be judged: %s", t.Objects[o], result.Unknown)
		}
	})
	j.figures = map[string]float64{"calls": float64(len(t.Calls)), "unknown_calls": float64(unknown), "violated": float64(len(j.findings))}
	j.holds = fmt.Sprintf("%s can be put in an order that keeps the rules of a %s", count(len(t.Calls), "call"), name)
	if waited == 0 {
		j.vacuous = "no client got what it waited for"
		if s.Primitive == history.DoubleBarrier {
			return nil // its model gives up early; passage judges the rest
		}
	}
	return j
}

// illegal is the violation that a trace shows of an object.
func (r *record) illegal(s *subject, t *history.Trace, model string, object int32, v *exact.Violation) finding {
	f := finding{tell: func() string { return v.Sentence(t) }}
	f.Violation = Violation{Blame: s.culprit(), Cause: "no order of the calls keeps the rules of a " + model, From: r.h.End, Object: t.Objects[object]}
	for i := range v.Witness {
		c := &v.Witness[i]
		f.Witness = append(f.Witness, c.ID)
		op := r.h.Operation(c.ID)
		if op == nil {
			continue
		}
		f.From, f.To = min(f.From, op.Call), max(f.To, op.Return)
		if c.Known == history.Succeeded && c.Return == v.At {
			f.Known, f.Call = r.known(s, Linearizable, op, nil), op.Kind
			if enter, lie := r.falselyIn(s, op); lie != nil {
				f.Known, f.Cause, f.Witness = lie.Known, following(lie), append(f.Witness, enter.ID)
				f.tell = func() string { return v.Sentence(t) + "; " + lie.tell() }
			}
		}
	}
	f.From = min(f.From, f.To)
	return f
}

// falselyIn returns the enter of the double barrier that a client leaves with a
// call, and what is false about it, if it is: whoever is in alone finds nobody to
// wait for when it leaves.
func (r *record) falselyIn(s *subject, leave *history.Operation) (enter *history.Operation, lie *finding) {
	ob := r.objects[objectID{s.Name, leave.Object}]
	if s.Layout != history.MemberKeys || leave.Kind != history.Leave || ob == nil || r.log == nil {
		return nil, nil
	}
	for _, op := range ob.operations {
		if op.Client == leave.Client && op.Kind == history.Enter && op.Outcome == history.Ok && op.Return <= leave.Call {
			enter = op
		}
	}
	if enter == nil || enter.Lease == 0 || enter.Lease != leave.Lease || !r.seesAllBy(r.log.Start, enter.Return) {
		return nil, nil
	}
	full := r.full(s, ob)
	if r.met(s, ob, enter, full) {
		return nil, nil
	}
	f := r.enteredAlone(s, ob, enter, full)
	return enter, &f
}
