package exact

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/etcd-holdfast/holdfast/history"
)

// Barrier judges a barrier that is down at first: FunctionHold raises it if it
// is down, and is refused if it is up; FunctionLower lowers it, or does nothing;
// FunctionWait returns only if it was down at some position of its interval.
//
// It is exact where raising and lowering do not overlap in time, as one
// coordinator makes them. Then their order is forced, and each turn of the
// barrier has a window in which it happened: that of the Hold, or from the first
// call to the first return of the Lowers that follow a Hold. (Lowers may
// overlap each other; the first counts.) A wait demands that the barrier did
// not go up before it and down after it, a refused Hold the same of down and up:
// "this turn came no earlier than my call, or the next no later than my return".
// So the later a turn happened, the less is demanded of the next one, and to
// put each off as long as its window and the calls before it allow is a
// linearization if there is any. A call can concern one such pair of turns only,
// so that the sweep takes O(n log n), or O(n) if calls come nearly in order.
//
// A Lower of unknown outcome can excuse only a wait or a second Hold, and a Hold
// of unknown outcome, or another refused one that had not returned yet, only a
// refusal. A violation that such a call, invoked before it was proved, might
// excuse is not decided; nor is what follows a Hold that succeeded and overlaps
// a Lower or another such Hold, nor refused waits.
//
// Source: greedy choice by deadlines, as for interval scheduling.
func Barrier(calls []history.Call) (v *Violation, decided bool) {
	b := &barrier{calls: calls, turns: []turn{{from: -1, to: -1, called: -1, returned: -1}}, double: -1, until: history.NoReturn}
	b.collect()
	v = b.sweep()
	if v != nil && v.At < b.until {
		return v, true
	}
	return nil, v == nil && b.until == history.NoReturn
}

// turn is a change of the barrier, which happened from the call of one call to
// the return of another, or the same. The first turn is the initial state.
type turn struct {
	from, to         int64
	called, returned int32
	up               bool
}

// demand is a call that concerns a turn and the next: a wait if the turn is up,
// a refused Hold if it is down.
type demand struct{ turn, call int32 }

type barrier struct {
	calls   []history.Call
	turns   []turn
	demands []demand // by turn
	double  int32    // a Hold that succeeded with no Lower since the one before, or -1
	until   int64    // from here on the order of turns is not forced
}

func (b *barrier) collect() {
	busy, raised := int64(-1), int64(-1) // the last return of a turn's call; of a Hold
	for i := range b.calls {
		c := &b.calls[i]
		last := &b.turns[len(b.turns)-1]
		succeeded := c.Known == history.Succeeded
		switch {
		case c.Function == history.FunctionHold && succeeded:
			if c.Invoke <= busy {
				b.until = c.Invoke
				return
			}
			if busy, raised = c.Return, c.Return; b.double >= 0 {
				continue
			}
			if last.up {
				b.double = int32(i)
				continue
			}
			b.turns = append(b.turns, turn{from: c.Invoke, to: c.Return, called: int32(i), returned: int32(i), up: true})
		case c.Function == history.FunctionLower && succeeded:
			if c.Invoke <= raised {
				b.until = c.Invoke
				return
			}
			busy = max(busy, c.Return)
			switch {
			case b.double >= 0:
			case last.up:
				b.turns = append(b.turns, turn{from: c.Invoke, to: c.Return, called: int32(i), returned: int32(i)})
			case len(b.turns) > 1 && c.Return < last.to:
				last.to, last.returned = c.Return, int32(i)
			}
		case c.Function == history.FunctionWait && c.Known != history.Refused,
			c.Function == history.FunctionHold,
			c.Function == history.FunctionLower && c.Known != history.Refused:
		default:
			b.until = c.Invoke
			return
		}
	}
}

// demand finds what each wait and refused Hold demands.
func (b *barrier) demand() {
	k := 0
	for i := range b.calls {
		c := &b.calls[i]
		if c.Invoke >= b.until {
			break
		}
		wait := c.Function == history.FunctionWait && c.Known == history.Succeeded
		if !wait && (c.Function != history.FunctionHold || c.Known != history.Refused) {
			continue
		}
		for k+1 < len(b.turns) && b.turns[k+1].from < c.Invoke {
			k++
		}
		// Only after turns k and k-1, of which one goes up, can it lie.
		j := k
		if b.turns[k].up != wait {
			j--
		}
		if j >= 0 && (j+1 == len(b.turns) || c.Return < b.turns[j+1].to) {
			b.demands = append(b.demands, demand{turn: int32(j), call: int32(i)})
		}
	}
	sortNearly(b.demands, func(x, y demand) int { return cmp.Compare(x.turn, y.turn) })
}

// sweep puts every turn off as long as it can be. It returns the violation that
// is proved first, and ends what is decided there if it might be excused.
func (b *barrier) sweep() *Violation {
	b.demand()
	limits := make([]int32, len(b.turns)) // the call that bounds each turn, or -1
	limits[0] = -1
	at, next := int64(-1), 0
	proof := int32(-1) // the call that cannot be satisfied
	j := 0
	for ; ; j++ {
		bound, call := int64(math.MaxInt64), int32(-1)
		for ; next < len(b.demands) && b.demands[next].turn == int32(j); next++ {
			if c := &b.calls[b.demands[next].call]; c.Invoke > at && c.Return < bound {
				bound, call = c.Return, b.demands[next].call
			}
		}
		if j+1 == len(b.turns) || bound < b.turns[j+1].from {
			proof = call
			break
		}
		if at, limits[j+1] = b.turns[j+1].to, -1; bound < at {
			at, limits[j+1] = bound, call
		}
	}
	if b.double >= 0 && (proof < 0 || b.calls[b.double].Return < b.calls[proof].Return) {
		return b.doubleHold()
	}
	if proof < 0 {
		return nil
	}
	return b.unsatisfied(proof, j, limits)
}

// excused is whether a call of unknown outcome at this position may have raised,
// or lowered, the barrier besides the turns.
func (b *barrier) excused(at int64, raised, lowered bool) bool {
	for i := range b.calls {
		c := &b.calls[i]
		if c.Invoke > at {
			break
		}
		if raised && c.Function == history.FunctionHold && (c.Known == history.Unknown || c.Known == history.Refused && c.Return > at) ||
			lowered && c.Function == history.FunctionLower && c.Known == history.Unknown {
			return true
		}
	}
	return false
}

func (b *barrier) doubleHold() *Violation {
	first, second := b.calls[b.turns[len(b.turns)-1].called], b.calls[b.double]
	if b.excused(second.Return, false, true) {
		b.until = min(b.until, second.Return)
	}
	return &Violation{At: second.Return, Witness: []history.Call{first, second}, tell: func(t *history.Trace) string {
		return fmt.Sprintf("%s raised %s by %s, and %s raised it again by %s, with nobody lowering it between",
			t.Called(first.Process), object(t, first.Object), t.At(first.Return), t.Called(second.Process), t.At(second.Return))
	}}
}

// unsatisfied tells of a wait while the barrier was up, or of a Hold that was
// refused while it was down. If only other such calls forced the turn before to
// have happened so early, they are part of the proof.
func (b *barrier) unsatisfied(proof int32, j int, limits []int32) *Violation {
	c, before := b.calls[proof], b.turns[j]
	chosen := []int32{proof}
	add := func(k turn) {
		if k.called >= 0 {
			chosen = append(chosen, k.called, k.returned)
		}
	}
	if j+1 < len(b.turns) {
		add(b.turns[j+1])
	}
	waits, refusals := before.up, !before.up
	limit := limits[j]
	for k := j; ; k-- {
		add(b.turns[k])
		if limits[k] < 0 {
			break
		}
		chosen = append(chosen, limits[k])
		waits, refusals = true, true
	}
	if b.excused(c.Return, refusals, waits) {
		b.until = min(b.until, c.Return)
	}
	slices.Sort(chosen)
	v := &Violation{At: c.Return}
	for _, i := range slices.Compact(chosen) {
		v.Witness = append(v.Witness, b.calls[i])
	}
	v.tell = func(t *history.Trace) string {
		did, state, turned, back := "was refused to raise", "down", "lowered", "raised"
		if before.up {
			did, state, turned, back = "got past", "up", "raised", "lowered"
		}
		s := fmt.Sprintf("%s %s %s between %s and %s, when it was %s: ",
			t.Called(c.Process), did, object(t, c.Object), t.At(c.Invoke), t.At(c.Return), state)
		switch {
		case before.called < 0:
			s += "nobody had raised it yet"
		case limit >= 0:
			l := b.calls[limit]
			s += fmt.Sprintf("what %s was told at %s shows that it had been %s by then", t.Called(l.Process), t.At(l.Return), turned)
		default:
			s += fmt.Sprintf("%s had %s it by %s", t.Called(b.calls[before.returned].Process), turned, t.At(before.to))
		}
		if j+1 < len(b.turns) {
			return s + fmt.Sprintf(", and nobody asked that it be %s until %s", back, t.At(b.turns[j+1].from))
		}
		return s + fmt.Sprintf(", and nobody asked that it be %s after that", back)
	}
	return v
}
