package exact

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/etcd-holdfast/holdfast/history"
)

// TryLock judges a mutex with an owner whose refused acquires count as
// evidence: the lock was held at some position of each. An acquire of unknown
// outcome may be what held it. If expiring, such a hold can end by itself at
// any time, as one on a lease does; else it lasts for ever, since nobody else
// can release it. (A release of unknown outcome can take effect at any
// time from its call on, or never, in both.)
//
// It is exact. Cores must not overlap, as for Mutex, and so come in a forced
// order. Between neighbours the release can be put off to its return, for ever
// if that is unknown, and the next acquire can be moved ahead to its call; so
// the lock can have been held all the time unless the release returned before
// the next acquire was called. Only in the gap that is left open then can it
// have been free for sure, and each gap is open or not whatever is chosen for
// the others. If a refused call lies wholly inside an open gap, an acquire of
// unknown outcome must have held then: one that was invoked no later than the
// first such call of the gap returned, and it can serve all of that gap. Its
// hold must end before the next core, so if it lasts for ever it serves only
// the gap after the last core. If it expires it serves any one gap, and the
// acquires that can serve a gap can also serve all with later deadlines: so
// there are enough if for each gap, in the order of deadlines, there are as
// many acquires as gaps so far (Hall's condition for nested sets).
//
// In a history that is cut off at a position, calls that had not returned are of
// unknown outcome; a violation's At is found by bisection of such cuts. O(n log n).
//
// It assumes what Mutex assumes. With refused acquires it does not decide what
// follows where a process goes on after an acquire of unknown outcome, or after
// such a release that found nothing to free.
//
// Source: scheduling by deadlines; Hall, "On representatives of subsets" (1935).
func TryLock(calls []history.Call, expiring bool) (v *Violation, decided bool) {
	return lock(calls, collect(calls, excludes, false), expiring)
}

// refusals is what is needed to judge refused acquires at any cut.
type refusals struct {
	calls    []history.Call
	cores    []core
	refused  []int32 // by return
	acquired []int32 // all acquires, by invocation
	expiring bool
}

// gap is an open gap with a refused call inside: before core next, if there is
// one, and after the one before it.
type gap struct {
	refused int32 // the one that returned first
	next    int
	closed  bool // core next has begun
}

// refusal returns the refused acquire at which the lock was surely free that is
// proved first, if that is before found and before what collect could tell.
func refusal(calls []history.Call, h *holds, expiring bool, found *Violation) *Violation {
	top := h.until
	if found != nil {
		top = min(top, found.At)
	}
	r := &refusals{calls: calls, cores: h.cores, acquired: make([]int32, 0, len(calls)), expiring: expiring}
	for i := range calls {
		c := &calls[i]
		if !acquires(c) || c.Invoke >= top {
			continue
		}
		r.acquired = append(r.acquired, int32(i))
		if c.Known == history.Refused {
			r.refused = append(r.refused, int32(i))
		}
	}
	sortNearly(r.refused, func(a, b int32) int { return cmp.Compare(calls[a].Return, calls[b].Return) })
	if r.free(top-1, nil) < 0 {
		return nil
	}
	// Only the return of an acquire makes a history worse.
	returns := make([]int64, 0, len(r.acquired))
	for _, i := range r.acquired {
		if c := &calls[i]; c.Known != history.Unknown && c.Return < top {
			returns = append(returns, c.Return)
		}
	}
	slices.Sort(returns)
	at := returns[sort.Search(len(returns), func(k int) bool { return r.free(returns[k], nil) >= 0 })]
	var gaps []gap
	return r.violation(at, int32(r.free(at, &gaps)), gaps)
}

// free judges the history cut after a position. It returns the index of a
// refused acquire during which nobody can have held the lock, or -1. If gaps
// is not nil, it gets those that compete for the acquires of unknown outcome.
func (r *refusals) free(cut int64, gaps *[]gap) int {
	next, before := 0, 0 // the first core that begins after a refusal; acquires invoked by its return
	candidates, needed := 0, 0
	served := -1 // the gap before this core is counted
	for _, i := range r.refused {
		c := &r.calls[i]
		if c.Return > cut {
			break
		}
		for next < len(r.cores) && r.cores[next].start <= c.Return {
			next++
		}
		closed := next < len(r.cores) && r.cores[next].start <= cut
		if served == next || closed && r.calls[r.cores[next].acquire].Invoke <= c.Return || next > 0 && r.released(next-1, cut) >= c.Invoke {
			continue
		}
		served = next
		for ; before < len(r.acquired) && r.calls[r.acquired[before]].Invoke <= c.Return; before++ {
			if r.pending(r.acquired[before], cut) {
				candidates++
			}
		}
		if gaps != nil {
			if !r.expiring {
				*gaps = (*gaps)[:0]
			}
			*gaps = append(*gaps, gap{refused: i, next: next, closed: closed})
		}
		if r.expiring || !closed {
			needed++
		}
		if needed > candidates || !r.expiring && closed {
			return int(i)
		}
	}
	return -1
}

// released is until when the release that ends a core can be put off.
func (r *refusals) released(k int, cut int64) int64 {
	if release := r.cores[k].release; release >= 0 {
		if c := &r.calls[release]; c.Known == history.Succeeded && c.Return <= cut {
			return c.Return
		}
	}
	return math.MaxInt64
}

// pending is whether an acquire's outcome is unknown at the cut.
func (r *refusals) pending(i int32, cut int64) bool {
	c := &r.calls[i]
	return c.Known == history.Unknown || c.Return > cut
}

// violation shows the refused call with the holds around it; and, if acquires of
// unknown outcome can serve some of the gaps but not all, those and all the gaps.
func (r *refusals) violation(at int64, refused int32, gaps []gap) *Violation {
	var chosen []int32
	hold := func(k int) {
		chosen = append(chosen, r.cores[k].acquire)
		if release := r.cores[k].release; release >= 0 {
			chosen = append(chosen, release)
		}
	}
	for _, g := range gaps {
		chosen = append(chosen, g.refused)
		if g.next > 0 {
			hold(g.next - 1)
		}
		if g.closed {
			hold(g.next)
		}
	}
	unknown := 0
	if r.expiring {
		for _, i := range r.acquired {
			if r.calls[i].Invoke <= r.calls[refused].Return && r.pending(i, at) {
				chosen = append(chosen, i)
				unknown++
			}
		}
	}
	slices.Sort(chosen)
	v := &Violation{At: at}
	for _, i := range slices.Compact(chosen) {
		v.Witness = append(v.Witness, r.calls[i])
	}
	c, last, count := r.calls[refused], gaps[len(gaps)-1], len(gaps)
	var releaser, taker *history.Call
	if last.next > 0 {
		before := r.calls[r.cores[last.next-1].release]
		releaser = &before
	}
	if last.closed {
		after := r.calls[r.cores[last.next].acquire]
		taker = &after
	}
	v.tell = func(t *history.Trace) string {
		s := fmt.Sprintf("%s was refused %s between %s and %s, when nobody can have held it: ",
			t.Called(c.Process), object(t, c.Object), t.At(c.Invoke), t.At(c.Return))
		switch {
		case releaser != nil && taker != nil:
			s += fmt.Sprintf("%s had released it by %s and %s asked for it at %s",
				t.Called(releaser.Process), t.At(releaser.Return), t.Called(taker.Process), t.At(taker.Invoke))
		case releaser != nil:
			s += fmt.Sprintf("%s had released it by %s and nobody who can have got it had asked", t.Called(releaser.Process), t.At(releaser.Return))
		case taker != nil:
			s += fmt.Sprintf("%s was the first to get it and asked at %s", t.Called(taker.Process), t.At(taker.Invoke))
		default:
			s += "nobody who can have got it had asked"
		}
		if unknown > 0 {
			s += fmt.Sprintf("; %d acquires of unknown outcome can explain as many of %d such refusals, not all", unknown, count)
		}
		return s
	}
	return v
}
