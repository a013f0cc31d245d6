package exact

import "github.com/etcd-holdfast/holdfast/history"

// RWLock judges a read-write lock: holds of readers (Call.Shared of the
// acquire) may overlap each other, but no writer's. A process that reads may
// read again, and holds until it has released as often; one that reads and
// would write, or the other way round, stands in its own way. A Release frees
// what its process has, whatever its Shared says.
//
// It is exact for the reason that Mutex is: the earliest releases and the
// latest acquires make every hold as short as it can be, all at once. A core
// can only conflict with one that began no later, and of those that the sweep
// has passed the writer and the reader with the latest ends overlap it if any
// do. The witness is the pair whose overlap begins first. O(n log n), or O(n)
// if acquires return nearly in the order of their calls.
//
// It assumes what Mutex assumes, and does not decide refused acquires, and
// releases that only an acquire of unknown outcome can explain. A violation
// that is found in spite of refusals is one, but another may have been proved
// before it.
func RWLock(calls []history.Call) (v *Violation, decided bool) {
	h := collect(calls, nestsReaders, false)
	if len(h.revived) > 0 {
		h.until = min(h.until, calls[h.revived[0].release].Invoke)
	}
	v = h.sharedOverlap(calls)
	if h.stray >= 0 {
		v = earlier(v, strayRelease(calls, h.stray, h.previous))
	}
	return h.verdict(v, false)
}

// sharedOverlap returns the two cores, at least one a writer's, whose overlap
// begins first, or nil.
func (h *holds) sharedOverlap(calls []history.Call) *Violation {
	var reader, writer *core // with the latest ends so far
	for i := range h.cores {
		k := &h.cores[i]
		switch {
		case writer != nil && k.start < writer.end:
			return bothHold(calls, writer, k)
		case !k.shared && reader != nil && k.start < reader.end:
			return bothHold(calls, reader, k)
		case !k.shared:
			writer = k
		case reader == nil || k.end > reader.end:
			reader = k
		}
	}
	return nil
}
