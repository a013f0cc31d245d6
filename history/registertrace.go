package history

import (
	"cmp"
	"slices"
)

// RegisterTrace returns the leader values of a subject, one register for each
// of its elections, of which Nil is the first value. Campaigns, resumptions and
// proclamations write, and Leader reads.
//
// A leader value is written once, when its reign begins: that is between call
// and return of a campaign that succeeded. What the revision log tells narrows
// those of unknown outcome: a proclamation that was put happened then, a
// campaign that was put can lead only from then on, and what was never put is
// left out. So are reads that found no leader, as the end of a leadership is no
// call, and, where the log has told that something never happened, reads that
// returned after what it reaches. Reads change nothing, so that leaving them
// out is sound: what is wrong with the rest is wrong with the whole.
func (h *History) RegisterTrace(subject string) *Trace {
	t := &Trace{}
	fates := h.Resolve(h.Revisions)
	limit := Never
	for _, r := range fates {
		if r.Fate == FateNever {
			limit = h.Revisions.Earliest(h.Revisions.Through + 1)
			break
		}
	}
	s, _ := h.Header.Subject(subject)
	processes, objects := make(map[string]int32), make(map[string]int32)
	number := func(name string, known map[string]int32, names *[]string) int32 {
		k, ok := known[name]
		if !ok {
			k = int32(len(*names))
			known[name], *names = k, append(*names, name)
		}
		return k
	}
	for i := range h.Operations {
		op := &h.Operations[i]
		if op.Subject != subject || op.Outcome == Fail || op.Value == "" {
			continue
		}
		c := Call{ID: op.ID, Invoke: int64(op.Call), Return: NoReturn, Revision: op.Revision}
		if op.Outcome == Ok {
			c.Known, c.Return = Succeeded, int64(op.Return)
		}
		switch op.Kind {
		case Leader:
			if op.Outcome != Ok || op.Return > limit {
				continue
			}
			c.Function = FunctionRead
		case Campaign, Resume, Proclaim:
			c.Function = FunctionWrite
			if op.Outcome == Ok || s.Layout != OldestKey {
				break
			}
			fate := fates[op.ID]
			if fate.Fate == FateNever {
				continue
			}
			if fate.Fate == FateHappened {
				c.Invoke, c.Revision = int64(fate.Earliest), fate.Revision
				if op.Kind != Campaign && fate.Latest != Never {
					c.Known, c.Return = Succeeded, int64(fate.Latest)
				}
			}
		default:
			continue
		}
		c.Process, c.Object = number(op.Client, processes, &t.Processes), number(op.Object, objects, &t.Objects)
		c.Value = t.Symbol(op.Value)
		t.Calls = append(t.Calls, c)
	}
	if len(t.Objects) == 0 {
		t.Objects = []string{""}
	}
	slices.SortStableFunc(t.Calls, func(a, b Call) int { return cmp.Compare(a.Invoke, b.Invoke) })
	return t
}
