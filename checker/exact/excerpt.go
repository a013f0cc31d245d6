package exact

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/etcd-holdfast/holdfast/history"
)

// Excerpt returns at most about limit calls of one object that are worth
// looking at, and says in a few words which they are, or "" if they are all.
// An excerpt of a legal history is legal, and one around a violation violates:
// a history is cut at a position, with what had not returned by then unknown,
// or it is of whole holds, or it is the witness alone.
func Excerpt(calls []history.Call, v *Violation, limit int) ([]history.Call, string) {
	if len(calls) <= limit {
		return calls, ""
	}
	if v == nil {
		return cut(calls, calls[limit-1].Invoke), fmt.Sprintf("the first %d of %d calls", limit, len(calls))
	}
	// What the calls of the witness were told counts, also what they were told
	// after the proof.
	proved := v.At
	for i := range v.Witness {
		if end := v.Witness[i].Return; end != history.NoReturn {
			proved = max(proved, end)
		}
	}
	if before := cut(calls, proved); len(before) <= limit {
		return before, fmt.Sprintf("the %d of %d calls until the violation", len(before), len(calls))
	}
	if around := holdsAround(calls, v, limit); around != nil {
		return around, fmt.Sprintf("%d of %d calls, the holds around the violation", len(around), len(calls))
	}
	return v.Witness, fmt.Sprintf("%d of %d calls, the witness alone", len(v.Witness), len(calls))
}

// cut is the history as it was known at a position.
func cut(calls []history.Call, at int64) []history.Call {
	n, _ := slices.BinarySearchFunc(calls, at+1, func(c history.Call, position int64) int { return cmp.Compare(c.Invoke, position) })
	known := slices.Clone(calls[:n])
	for i := range known {
		if c := &known[i]; c.Return > at && c.Known != history.Unknown {
			c.Return, c.Known, c.Revision = history.NoReturn, history.Unknown, 0
			if c.Function == history.FunctionRead || c.Function == history.FunctionDequeue {
				c.Value = history.Nil
			}
		}
	}
	return known
}

// holdsAround picks the whole holds that begin nearest to a violation, those
// of the witness first; nil if the calls are not of a lock.
func holdsAround(calls []history.Call, v *Violation, limit int) []history.Call {
	for i := range calls {
		if c := &calls[i]; !acquires(c) && c.Function != history.FunctionRelease {
			return nil
		}
	}
	witness := make(map[int64]bool, len(v.Witness))
	for i := range v.Witness {
		witness[v.Witness[i].ID] = true
	}
	all := collect(calls, nestsReaders, false).cores
	distance := func(k *core) int64 {
		switch {
		case witness[calls[k.acquire].ID]:
			return -1
		case k.start > v.At:
			return k.start - v.At
		}
		return v.At - k.start
	}
	slices.SortStableFunc(all, func(a, b core) int { return cmp.Compare(distance(&a), distance(&b)) })
	var around []history.Call
	for i := range all {
		if len(around)+2 > limit {
			break
		}
		around = append(around, all[i].calls(calls)...)
	}
	for i := range v.Witness {
		if !slices.ContainsFunc(around, func(c history.Call) bool { return c.ID == v.Witness[i].ID }) {
			around = append(around, v.Witness[i])
		}
	}
	return byInvocation(around)
}
