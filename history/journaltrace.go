package history

import (
	"cmp"
	"slices"
)

// HoldsTrace returns what the clients of a subject were told about its locks
// or elections: an Acquire or TryAcquire for each acquire, campaign or resume,
// and a Release for each hold that ended. Objects are the operations' objects,
// Revision is the fencing token, Shared is true for readers. Positions are
// nanoseconds of the run.
//
// Each acquire is a process of its own, with the client's name, and its hold's
// release is of the same process: so a release frees its own hold, of however
// many the client had. A release is called where Holds has the end of the
// hold: at a loss or a crash nobody called it, and its ID is that of the
// acquire. Only a release that reported success has succeeded; any other may
// have had an effect, or not.
//
// A client does not stand in its own way: told once more that it holds what it
// holds it goes on holding it, and of a reading and a writing hold at once only
// the writing one counts. (Not so of a semaphore.) A leadership that had
// been given up when it was resumed is left out. So is a try-acquire that
// failed, as every call without effect is: that the lock was taken is only in
// the text of its error.
func (h *History) HoldsTrace(subject string) *Trace {
	info, _ := h.Header.Subject(subject)
	holds := h.Holds()
	none := make(map[int64]bool)
	type belief struct{ client, object string }
	last := make(map[belief]*Hold)
	for i := range holds {
		hold := &holds[i]
		switch {
		case hold.Subject != subject:
			continue
		case hold.GivenUp:
			none[hold.Acquire] = true
			continue
		}
		b := belief{hold.Client, hold.Object}
		before := last[b]
		switch {
		case info.Primitive == Semaphore: // two permits of one client are two
		case before == nil || before.End <= hold.Start:
		case before.Mode == ReadMode && hold.Mode != ReadMode:
			before.End, before.Ended, before.Release = hold.Start, EndLost, 0
		default:
			if before.End < hold.End && before.Mode == hold.Mode {
				before.End, before.Ended, before.Release = hold.End, hold.Ended, hold.Release
			}
			none[hold.Acquire] = true
			continue
		}
		last[b] = hold
	}
	n := 0
	for i := range h.Operations {
		if op := &h.Operations[i]; op.Subject == subject && op.Kind.Acquires() && op.Outcome != Fail {
			n++
		}
	}
	t := &Trace{Calls: make([]Call, 0, 2*n), Processes: make([]string, 0, n)}
	objects := make(map[string]int32)
	acquires := make(map[int64]int32, n) // ID → index of the call
	for i := range h.Operations {
		op := &h.Operations[i]
		if op.Subject != subject || !op.Kind.Acquires() || op.Outcome == Fail || none[op.ID] {
			continue
		}
		object, ok := objects[op.Object]
		if !ok {
			object = int32(len(t.Objects))
			objects[op.Object] = object
			t.Objects = append(t.Objects, op.Object)
		}
		c := Call{
			ID: op.ID, Invoke: int64(op.Call), Return: NoReturn, Value: Nil, Revision: op.Token,
			Process: int32(len(t.Processes)), Object: object, Function: FunctionAcquire, Shared: op.Mode == ReadMode,
		}
		if op.Kind == TryAcquire {
			c.Function = FunctionTryAcquire
		}
		if op.Outcome == Ok {
			c.Known, c.Return = Succeeded, int64(op.Return)
		}
		acquires[op.ID] = int32(len(t.Calls))
		t.Calls = append(t.Calls, c)
		t.Processes = append(t.Processes, op.Client)
	}
	for _, hold := range holds {
		k, ok := acquires[hold.Acquire]
		if !ok || hold.Ended == EndOfRecord {
			continue
		}
		c := t.Calls[k]
		c.Function, c.Known, c.Invoke, c.Return = FunctionRelease, Unknown, int64(hold.End), NoReturn
		if release := h.Operation(hold.Release); release != nil {
			c.ID = release.ID
			if release.Outcome == Ok {
				c.Known, c.Return = Succeeded, max(int64(release.Return), c.Invoke)
			}
		}
		t.Calls = append(t.Calls, c)
	}
	slices.SortStableFunc(t.Calls, func(a, b Call) int { return cmp.Compare(a.Invoke, b.Invoke) })
	if len(t.Objects) == 0 {
		t.Objects = []string{""}
	}
	return t
}
