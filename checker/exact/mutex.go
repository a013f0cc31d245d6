package exact

import (
	"cmp"
	"fmt"
	"slices"
	"sort"

	"github.com/etcd-holdfast/holdfast/history"
)

// Mutex judges a mutual exclusion lock with an owner: Acquire and TryAcquire
// take it, Release frees what its own process had taken, and is a violation if
// that is nothing. It returns the violation that is proved first; decided is
// false if there is none as far as it can tell, but it cannot tell.
//
// It is exact. An acquire can take effect as late as its return and a release
// as early as its call, so if no two cores overlap, that choice is a
// linearization; and if two do, no choice can part them, because both locks
// are held at every position that the cores share. Cores that merely touch are
// legal: the release comes first. An acquire of unknown outcome never has to
// take effect, unless its process then releases with success: then it did,
// and may have done so at the instant of that release. So that is legal if some
// position in the release is not inside a core. Refused acquires are judged as
// by TryLock. Sorting the cores and comparing each with the one before takes
// O(n log n), or O(n) if they come nearly in order.
//
// It assumes that a process makes one call at a time; the calls of one process
// follow each other even if they touch. It does not decide where a process goes
// on after calls of unknown outcome in a way that leaves open which of them
// took effect: after a release that had nothing to free, or a second one where
// one acquire of unknown outcome cannot explain it.
//
// Source: the argument of linearization points, Herlihy and Wing, "Linearizability"
// (TOPLAS 1990); for intervals that cannot be parted, Gibbons and Korach,
// "Testing shared memories" (SIAM J. Comput. 26, 1997).
func Mutex(calls []history.Call) (v *Violation, decided bool) {
	return lock(calls, collect(calls, excludes, false), false)
}

// PlainMutex judges a mutual exclusion lock without an owner: its state is one
// bit, and any process's Release frees it. It decides histories in which every
// release, of whatever outcome, follows an acquire of its own process that
// succeeded and that no other release follows. There it agrees with Mutex:
// the number of acquires that took effect, less that of releases, must be 0 or
// 1 at every position. A release can only count after its own acquire, so the
// number is at least that of the cores around a position, and two that overlap
// are a violation; and if no two do, the linearization of Mutex is one here.
// Likewise an acquire of unknown outcome that took effect is never made up for,
// so that nothing follows it in either. It assumes what Mutex assumes.
func PlainMutex(calls []history.Call) (v *Violation, decided bool) {
	return lock(calls, collect(calls, excludes, true), false)
}

// lock judges what processes held exclusively, and refusals.
func lock(calls []history.Call, h *holds, expiring bool) (*Violation, bool) {
	v := h.exclusive(calls)
	if h.refused {
		// What such a process does bounds what its acquire can explain.
		h.until = min(h.until, h.resumed)
		v = earlier(refusal(calls, h, expiring, v), v)
	}
	return h.verdict(v, true)
}

// exclusive returns the first violation if all holds exclude each other.
func (h *holds) exclusive(calls []history.Call) *Violation {
	v := h.overlap(calls)
	if h.stray >= 0 {
		v = earlier(v, strayRelease(calls, h.stray, h.previous))
	}
	for _, r := range h.revived {
		// Were there no overlap up to this release, one core at most could
		// contain it: the last that began before.
		release := &calls[r.release]
		k := sort.Search(len(h.cores), func(i int) bool { return h.cores[i].start >= release.Invoke }) - 1
		if k >= 0 && h.cores[k].end > release.Return {
			v = earlier(v, heldByAnother(calls, &h.cores[k], r))
		}
	}
	return v
}

// overlap returns the two cores whose overlap begins first, or nil.
func (h *holds) overlap(calls []history.Call) *Violation {
	for i := 1; i < len(h.cores); i++ {
		if h.cores[i].start < h.cores[i-1].end {
			return bothHold(calls, &h.cores[i-1], &h.cores[i])
		}
	}
	return nil
}

// bothHold tells of two cores that exclude each other and share positions; the
// first began first.
func bothHold(calls []history.Call, first, second *core) *Violation {
	a, b, start, end := calls[first.acquire], calls[second.acquire], second.start, min(first.end, second.end)
	v := &Violation{At: start, Witness: byInvocation(append(first.calls(calls), second.calls(calls)...))}
	v.tell = func(t *history.Trace) string {
		text := fmt.Sprintf("%s was told that it %s at %s and had not released at %s; %s was told that it %s at %s",
			t.Called(a.Process), holding(t, &a), t.At(a.Return), t.At(end), t.Called(b.Process), holding(t, &b), t.At(b.Return))
		if overlap := t.Span(start, end); overlap != "" {
			text += ": " + overlap + " of overlap"
		}
		return text
	}
	return v
}

func strayRelease(calls []history.Call, stray, previous int32) *Violation {
	c := calls[stray]
	if previous < 0 {
		return &Violation{At: c.Return, Witness: []history.Call{c}, tell: func(t *history.Trace) string {
			return fmt.Sprintf("%s released %s at %s and had never held it", t.Called(c.Process), object(t, c.Object), t.At(c.Invoke))
		}}
	}
	before := calls[previous]
	return &Violation{At: c.Return, Witness: []history.Call{before, c}, tell: func(t *history.Trace) string {
		return fmt.Sprintf("%s released %s at %s and had not held it since it released at %s",
			t.Called(c.Process), object(t, c.Object), t.At(c.Invoke), t.At(before.Invoke))
	}}
}

// heldByAnother tells of a release that succeeded inside another process's core.
func heldByAnother(calls []history.Call, k *core, r revival) *Violation {
	a, c := calls[k.acquire], calls[r.release]
	witness := append(k.calls(calls), calls[r.acquire], c)
	return &Violation{At: c.Return, Witness: byInvocation(witness), tell: func(t *history.Trace) string {
		return fmt.Sprintf("%s released %s between %s and %s, but %s held it from %s to %s",
			t.Called(c.Process), object(t, c.Object), t.At(c.Invoke), t.At(c.Return), t.Called(a.Process), t.At(a.Return), t.At(k.end))
	}}
}

// holding says what an acquire claims.
func holding(t *history.Trace, c *history.Call) string {
	if c.Shared {
		return "holds " + object(t, c.Object) + " for reading"
	}
	return "holds " + object(t, c.Object)
}

// object names an object. A history of one that has no name calls it by what is
// done with it.
func object(t *history.Trace, o int32) string {
	if name := t.Objects[o]; name != "" || len(t.Calls) == 0 {
		return cmp.Or(history.Called(name), "the object")
	}
	switch t.Calls[0].Function {
	case history.FunctionAcquire, history.FunctionTryAcquire, history.FunctionRelease:
		return "the lock"
	case history.FunctionRead, history.FunctionWrite, history.FunctionCompareAndSet:
		return "the register"
	case history.FunctionEnqueue, history.FunctionDequeue:
		return "the queue"
	}
	return "the barrier"
}

func byInvocation(calls []history.Call) []history.Call {
	slices.SortStableFunc(calls, func(a, b history.Call) int { return cmp.Compare(a.Invoke, b.Invoke) })
	return calls
}
