package history

import (
	"cmp"
	"slices"
)

// KeyTrace returns the calls on the registers of a subject: a Get reads, a Put
// writes, and a CompareAndSet that failed and says at which revision it found
// another value was refused. Revision is the reply's, or that at which the log
// has the write. Registers hold Nil at first.
//
// What the revision log tells of writes of unknown outcome is used: one that was
// put happened then, and one that was never put is left out. So are, where the
// log has told that, reads that returned after what it reaches, which is sound:
// they change nothing. Without reads, writes and comparisons alone are returned.
func (h *History) KeyTrace(subject string, reads bool) *Trace {
	t := &Trace{}
	fates := h.Resolve(h.Revisions)
	limit := Never
	for _, r := range fates {
		if r.Fate == FateNever {
			limit = h.Revisions.Earliest(h.Revisions.Through + 1)
			break
		}
	}
	processes, objects := make(map[string]int32), make(map[string]int32)
	number := func(name string, known map[string]int32, names *[]string) int32 {
		k, ok := known[name]
		if !ok {
			k = int32(len(*names))
			known[name], *names = k, append(*names, name)
		}
		return k
	}
	value := func(text string) Value {
		if text == "" {
			return Nil
		}
		return t.Symbol(text)
	}
	for i := range h.Operations {
		op := &h.Operations[i]
		if op.Subject != subject {
			continue
		}
		c := Call{ID: op.ID, Invoke: int64(op.Call), Return: NoReturn, Revision: op.Revision, Value: value(op.Value), Argument: Nil}
		if op.Outcome == Ok {
			c.Known, c.Return = Succeeded, int64(op.Return)
		}
		switch {
		case op.Kind == Get:
			if op.Outcome != Ok || op.Return > limit || !reads {
				continue
			}
			c.Function = FunctionRead
		case op.Kind == CompareAndSet && op.Outcome == Fail && op.Revision != 0:
			if op.Return > limit {
				continue
			}
			c.Function, c.Argument = FunctionCompareAndSet, value(op.Prior)
			c.Known, c.Return = Refused, int64(op.Return)
		case op.Outcome == Fail:
			continue
		case op.Kind == Put, op.Kind == CompareAndSet:
			c.Function = FunctionWrite
			if op.Kind == CompareAndSet {
				c.Function, c.Argument = FunctionCompareAndSet, value(op.Prior)
			}
			if op.Outcome == Ok {
				break
			}
			fate := fates[op.ID]
			if fate.Fate == FateNever {
				continue
			}
			if fate.Fate == FateHappened {
				c.Invoke, c.Revision = int64(fate.Earliest), fate.Revision
				if fate.Latest != Never {
					c.Known, c.Return = Succeeded, int64(fate.Latest)
				}
			}
		default:
			continue
		}
		c.Process, c.Object = number(op.Client, processes, &t.Processes), number(op.Object, objects, &t.Objects)
		t.Calls = append(t.Calls, c)
	}
	if len(t.Objects) == 0 {
		t.Objects = []string{""}
	}
	slices.SortStableFunc(t.Calls, func(a, b Call) int { return cmp.Compare(a.Invoke, b.Invoke) })
	return t
}
