package history

import (
	"sort"
	"strings"
	"time"
)

// Fate is what the revision log tells of a write to etcd.
type Fate int

// The fates.
const (
	// FateUnknown: the log does not tell.
	FateUnknown Fate = iota
	// FateHappened: the write made Revision.
	FateHappened
	// FateNever: the write had made no revision when the final phase of the
	// run began.
	FateNever
)

// Resolution is the fate of an operation. If it happened, it did at Revision,
// within [Earliest, Latest]; Latest is Never if that has no bound.
type Resolution struct {
	Fate             Fate
	Revision         int64
	Earliest, Latest time.Duration
}

// GuardedKey is the key that guarded writes for an object go to.
func (h *Header) GuardedKey(subject, object string) string {
	return h.Prefix + "guarded/" + subject + "/" + object
}

// Resolve tells, by ID, what became of the operations that write a value to
// etcd and did not certainly fail: Campaign, Resume, Proclaim, GuardedWrite,
// Enqueue, Put and CompareAndSet.
// That the value is put is all it tells: a candidate's value is put when it
// begins to wait. The recorded outcomes stay as they are, and a fate that
// contradicts one is evidence against whoever gave it.
//
// Values are unique in a run: a change to the operation's key, or below its
// object's prefix, with its value is its own. It is not resolved if several
// operations or changes have the value, or if the change cannot have come after
// the call. A write that the log lacks never happened if the run is complete,
// the log surely reaches the final phase, in which no client is left, no gap
// can hide the write, and it is known where the write would be: a subject
// without a layout may put what it likes wherever it likes.
func (h *History) Resolve(log *RevisionLog) map[int64]Resolution {
	resolved := make(map[int64]Resolution)
	writers := make(map[string]int) // by value
	for i := range h.Operations {
		if op := &h.Operations[i]; op.writesValue() {
			writers[op.Value]++
		}
	}
	puts := make(map[string][]*Change) // by value
	if log != nil {
		for i := range log.Changes {
			if c := &log.Changes[i]; !c.Deleted && writers[c.Value] > 0 {
				puts[c.Value] = append(puts[c.Value], c)
			}
		}
	}
	whole := log != nil && h.reachedBy(log)
	for i := range h.Operations {
		op := &h.Operations[i]
		if !op.writesValue() || op.Outcome == Fail {
			continue
		}
		var made []*Change
		for _, c := range puts[op.Value] {
			if h.holdsValueOf(op, c.Key) {
				made = append(made, c)
			}
		}
		var fate Resolution
		switch {
		case writers[op.Value] > 1 || len(made) > 1:
		case len(made) == 1:
			fate = happened(op, made[0].Revision, log)
		case whole && h.placed(op) && log.Covers(log.firstAfter(op.Call), log.Through):
			fate.Fate = FateNever
		}
		resolved[op.ID] = fate
	}
	return resolved
}

// happened dates an operation that made a revision by the log and by its own
// interval. A revision that is surely outside that is none of its own.
func happened(op *Operation, revision int64, log *RevisionLog) Resolution {
	r := Resolution{FateHappened, revision, max(op.Call, log.Earliest(revision)), log.Latest(revision)}
	if op.Outcome == Ok {
		r.Latest = min(r.Latest, op.Return)
	}
	if r.Earliest > r.Latest {
		return Resolution{}
	}
	return r
}

func (o *Operation) writesValue() bool {
	switch o.Kind {
	case Campaign, Resume, Proclaim, GuardedWrite, Enqueue, Put, CompareAndSet:
		return o.Value != ""
	}
	return false
}

// holdsValueOf is true if a key is one that the operation may write.
func (h *History) holdsValueOf(op *Operation, key string) bool {
	if op.Kind == GuardedWrite {
		return key == h.Header.GuardedKey(op.Subject, op.Object)
	}
	return strings.HasPrefix(key, h.Header.ObjectPrefix(op.Subject, op.Object)+"/")
}

// placed is true if the operation can write its value only to keys of which
// holdsValueOf is true, and only as it is.
func (h *History) placed(op *Operation) bool {
	s, known := h.Header.Subject(op.Subject)
	return op.Kind == GuardedWrite || known && (s.Layout == OldestKey || s.Layout == ItemKeys || s.Layout == OneKey)
}

// reachedBy is true if the run is complete and no change after the log's last
// one can have happened before the final phase.
func (h *History) reachedBy(log *RevisionLog) bool {
	final, ok := h.Phase(PhaseFinal)
	return ok && h.Complete() && log.Earliest(log.Through+1) >= final
}

// firstAfter returns the first revision that may have been made after a time.
func (log *RevisionLog) firstAfter(t time.Duration) int64 {
	n := sort.Search(int(max(0, log.Through-log.Start+1)), func(k int) bool { return log.Latest(log.Start+int64(k)) >= t })
	return log.Start + int64(n)
}
