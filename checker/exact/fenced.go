package exact

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/etcd-holdfast/holdfast/history"
)

// FencedMutex judges a mutex with an owner whose acquires return fencing tokens
// (Call.Revision, 0 for none): holds must exclude each other as for Mutex, and
// tokens must rise strictly from hold to hold.
//
// It is exact: cores that do not overlap force the order of their holds, since
// the later acquire returned no earlier than the other's release was called.
// Only holds whose cores are one and the same instant may have come in either
// order, and are taken by their tokens. An acquire of unknown outcome never has
// to take effect, and has no token.
//
// It assumes what Mutex assumes, and does not decide refused acquires.
func FencedMutex(calls []history.Call) (v *Violation, decided bool) {
	h := collect(calls, excludes, false)
	sortNearly(h.cores, func(a, b core) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end),
			cmp.Compare(calls[a.acquire].Revision, calls[b.acquire].Revision))
	})
	v = h.exclusive(calls)
	var last *core
	for i := range h.cores {
		k := &h.cores[i]
		if v != nil && k.start >= v.At {
			break
		}
		token := calls[k.acquire].Revision
		if token == 0 {
			continue
		}
		if last != nil && token <= calls[last.acquire].Revision {
			v = staleToken(calls, last.acquire, k.acquire, append(last.calls(calls), k.calls(calls)...))
			break
		}
		last = k
	}
	return h.verdict(v, false)
}

// FencedTokens judges fencing tokens alone, for locks whose holders may believe
// in them for longer than they have them: tokens (Call.Revision of acquires, 0
// for none) are unique, and an acquire that was invoked after another had
// returned has the greater one. Only acquires that succeeded count.
//
// It is exact: tokens force the order in which they were issued, and that order
// contradicts real time only by two acquires of which one returned before the
// other, with the smaller token, was invoked. For each, the greatest token that
// was returned before its call finds them. O(n log n).
func FencedTokens(calls []history.Call) (v *Violation, decided bool) {
	issued := make([]int32, 0, len(calls)) // acquires with tokens
	for i := range calls {
		if c := &calls[i]; acquires(c) && c.Known == history.Succeeded && c.Revision != 0 {
			issued = append(issued, int32(i))
		}
	}
	returned := slices.Clone(issued)
	sortNearly(returned, func(a, b int32) int { return cmp.Compare(calls[a].Return, calls[b].Return) })
	first := [2]int32{-1, -1}
	prove := func(a, b int32) {
		at := func(a, b int32) int64 { return max(calls[a].Return, calls[b].Return) }
		if first[0] < 0 || at(a, b) < at(first[0], first[1]) {
			first = [2]int32{a, b}
		}
	}
	greatest, next := int32(-1), 0
	for _, i := range issued {
		for ; next < len(returned) && calls[returned[next]].Return < calls[i].Invoke; next++ {
			if greatest < 0 || calls[returned[next]].Revision > calls[greatest].Revision {
				greatest = returned[next]
			}
		}
		if greatest >= 0 && calls[greatest].Revision >= calls[i].Revision {
			prove(greatest, i)
		}
	}
	// Of equal tokens the two that returned first are neighbours then.
	sortNearly(returned, func(a, b int32) int {
		return cmp.Or(cmp.Compare(calls[a].Revision, calls[b].Revision), cmp.Compare(calls[a].Return, calls[b].Return))
	})
	for k := 1; k < len(returned); k++ {
		if calls[returned[k-1]].Revision == calls[returned[k]].Revision {
			prove(returned[k-1], returned[k])
		}
	}
	if first[0] < 0 {
		return nil, true
	}
	return staleToken(calls, first[0], first[1], []history.Call{calls[first[0]], calls[first[1]]}), true
}

// staleToken tells of an acquire whose token is not greater than that of one before it.
func staleToken(calls []history.Call, before, after int32, witness []history.Call) *Violation {
	a, b := calls[before], calls[after]
	return &Violation{At: max(a.Return, b.Return), Witness: byInvocation(witness), tell: func(t *history.Trace) string {
		if a.Revision == b.Revision {
			return fmt.Sprintf("processes %s and %s both got the token %d for %s, at %s and at %s",
				t.Called(a.Process), t.Called(b.Process), a.Revision, object(t, a.Object), t.At(a.Return), t.At(b.Return))
		}
		return fmt.Sprintf("%s got the token %d for %s at %s, and after it %s got the smaller token %d at %s",
			t.Called(a.Process), a.Revision, object(t, a.Object), t.At(a.Return), t.Called(b.Process), b.Revision, t.At(b.Return))
	}}
}
