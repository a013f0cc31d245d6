package checker

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/etcd-holdfast/holdfast/checker/exact"
	"github.com/etcd-holdfast/holdfast/history"
)

// TraceResult is the judgement of a trace by a model.
type TraceResult struct {
	Model   string
	Verdict Verdict
	Exit    int
	// Sentence sums up.
	Sentence string
	// Violations has, for each object that breaks its specification, the
	// violation that is proved first, in the order of their proofs.
	Violations []TraceViolation
	// Unknown says, for each object that could not be judged, why.
	Unknown []string
}

// TraceViolation proves that one object broke its specification.
type TraceViolation struct {
	Object   string
	Sentence string
	// Witness are the calls that prove it by themselves.
	Witness []history.Call
	// At is the position by which it is proved.
	At int64
}

// CheckTrace judges a trace by a model, object by object: a history is
// linearizable if and only if that of each object is (Herlihy and Wing 1990).
// Only a model's general search heeds ctx and the limits.
func CheckTrace(ctx context.Context, t *history.Trace, m exact.Model, p exact.Parameters, l exact.Limits) *TraceResult {
	r := &TraceResult{Model: m.Name, Verdict: Holds}
	t.ByObject(func(o int32, calls []history.Call) {
		result := m.Check(ctx, calls, p, l)
		switch v := result.Violation; {
		case v != nil:
			r.Violations = append(r.Violations, TraceViolation{Object: t.Objects[o], Sentence: v.Sentence(t), Witness: v.Witness, At: v.At})
		case result.Unknown != "":
			text := result.Unknown
			if t.Objects[o] != "" {
				text = t.Objects[o] + ": " + text
			}
			r.Unknown = append(r.Unknown, text)
		}
	})
	slices.SortStableFunc(r.Violations, func(a, b TraceViolation) int { return cmp.Compare(a.At, b.At) })
	switch {
	case len(r.Violations) > 0:
		r.Verdict, r.Exit, r.Sentence = Violated, ExitViolated, r.Violations[0].Sentence
	case len(r.Unknown) > 0:
		r.Verdict, r.Exit, r.Sentence = Unknown, ExitUnknown, r.Unknown[0]
	case len(t.Calls) == 0:
		r.Verdict, r.Exit, r.Sentence = Vacuous, ExitUnknown, "the history has no calls: nothing was put to the test"
	default:
		r.Sentence = fmt.Sprintf("%s can be put in an order that keeps the specification", count(len(t.Calls), "call"))
	}
	return r
}
