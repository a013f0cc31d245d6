package exact

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/etcd-holdfast/holdfast/history"
)

// Mutex judges a mutual exclusion lock: Acquire and TryAcquire take it,
// Release frees what its own process had taken.
//
// It is exact. An acquire can take effect as late as its return and a release
// as early as its call, so if no two cores overlap, that choice is a
// linearization; and if two do, no choice can part them, because both locks
// are held at every position that the cores share. Cores that merely touch are
// legal: the release comes first. An acquire of unknown outcome never has to
// take effect. (A release by a process that holds nothing, not even perhaps,
// is a violation by itself.) Sorting the cores and comparing each with the one
// before it that ends last takes O(n log n), or O(n) if they come in order.
//
// It assumes that a process makes one call at a time, and that a process whose
// acquire had an unknown outcome makes no more calls.
//
// Source: the argument of linearization points, Herlihy and Wing, "Linearizability"
// (TOPLAS 1990); for intervals that cannot be parted, Gibbons and Korach,
// "Testing shared memories" (SIAM J. Comput. 26, 1997).
func Mutex(calls []history.Call) *Violation {
	all, stray := cores(calls)
	if v := overlapping(calls, all); v != nil && (stray < 0 || v.At <= calls[stray].Return) {
		return v
	}
	if stray >= 0 {
		return strayRelease(calls[stray])
	}
	return nil
}

// overlapping returns the two cores whose overlap begins first, or nil.
func overlapping(calls []history.Call, all []core) *Violation {
	// Of two that begin together the shorter one comes first: it can be over.
	order := func(a, b core) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end)) }
	if !slices.IsSortedFunc(all, order) {
		slices.SortFunc(all, order)
	}
	for i, longest := 1, 0; i < len(all); i++ {
		if all[i].start < all[longest].end {
			return bothHold(calls, &all[longest], &all[i])
		}
		longest = i // it ends no earlier
	}
	return nil
}

// bothHold tells of two cores that exclude each other and share positions; the
// first began first.
func bothHold(calls []history.Call, first, second *core) *Violation {
	a, b, end := calls[first.acquire], calls[second.acquire], min(first.end, second.end)
	v := &Violation{At: second.start, Witness: byInvocation(append(first.calls(calls), second.calls(calls)...))}
	v.tell = func(t *history.Trace) string {
		return fmt.Sprintf("process %s was told that it %s at %s and had not released at %s; process %s was told that it %s at %s",
			t.Processes[a.Process], holding(t, &a), t.At(a.Return), t.At(end), t.Processes[b.Process], holding(t, &b), t.At(b.Return))
	}
	return v
}

func strayRelease(c history.Call) *Violation {
	return &Violation{At: c.Return, Witness: []history.Call{c}, tell: func(t *history.Trace) string {
		return fmt.Sprintf("process %s released %s at %s and had not held it", t.Processes[c.Process], object(t, c.Object), t.At(c.Invoke))
	}}
}

// holding says what an acquire claims.
func holding(t *history.Trace, c *history.Call) string {
	if c.Shared {
		return "holds " + object(t, c.Object) + " for reading"
	}
	return "holds " + object(t, c.Object)
}

// object names an object; a history of one that has no name calls it the lock.
func object(t *history.Trace, o int32) string {
	if name := t.Objects[o]; name != "" {
		return name
	}
	return "the object"
}

func byInvocation(calls []history.Call) []history.Call {
	slices.SortStableFunc(calls, func(a, b history.Call) int { return cmp.Compare(a.Invoke, b.Invoke) })
	return calls
}
