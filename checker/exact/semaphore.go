package exact

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/etcd-holdfast/holdfast/history"
)

// Semaphore judges a counting semaphore: of its permits an Acquire takes as
// many as its Argument says, and a Release gives as many back, which its process
// must have; Nil and 0 are one.
//
// It is exact. What a process has, at every position, is least if its acquires
// take effect at their returns and its releases at their calls; those choices do
// not hinder each other, and the only condition is that the sum over all
// processes stays within the permits. So a linearization exists if and only if
// that one keeps it; at one position releases go first. A release of unknown
// outcome counts at its call, an acquire of unknown outcome never. (A semaphore
// that lets any process give back any permit judges alike as long as every
// process gives back only its own.) One sweep over sorted acquires and releases,
// O(n log n) or, if they come nearly in order, O(n).
//
// The witness are as few holds as exceed the permits at one position, greatest
// first. A process that had given back a part of what it had is one hold, with
// all its calls since it had nothing.
//
// It assumes what Mutex assumes. It does not decide refused calls; a release at
// the very position of its process's acquire; nor what follows where a process
// with calls of unknown outcome gives back more than the others account for.
func Semaphore(calls []history.Call, permits int) (v *Violation, decided bool) {
	s := collectPermits(calls)
	v = s.exceeded(calls, int64(permits))
	if s.stray >= 0 && (v == nil || calls[s.stray].Return < v.At) {
		v = tooManyReleased(calls, s.stray)
	}
	if v != nil && v.At < s.until {
		return v, true
	}
	return nil, s.until == history.NoReturn && !s.refused
}

// permitChanges are the acquires by return and the releases by call, as indexes
// of calls; stray and the rest are as in holds.
type permitChanges struct {
	taken, given []int32
	stray        int32
	refused      bool
	until        int64
}

// owner is what one process has of a semaphore.
type owner struct {
	busy, has, got int64 // until when its last call ran; permits; the return of its last acquire
	maybe, spare   bool  // it has calls of unknown outcome; a release among them found too little
}

// collectPermits derives the changes as collect derives holds.
func collectPermits(calls []history.Call) *permitChanges {
	s := &permitChanges{stray: -1, until: history.NoReturn}
	acquired := 0
	for i := range calls {
		if acquires(&calls[i]) {
			acquired++
		}
	}
	s.taken, s.given = make([]int32, 0, acquired), make([]int32, 0, len(calls)-acquired)
	owners := newPerProcess(calls, owner{busy: -1, got: -1})
	for i := range calls {
		c := &calls[i]
		p := owners.of(c.Process)
		if c.Invoke < p.busy || !s.add(calls, int32(i), p) {
			s.until = c.Invoke
			break
		}
		if c.Known != history.Unknown {
			p.busy = c.Return
		}
	}
	sortNearly(s.taken, func(a, b int32) int { return cmp.Compare(calls[a].Return, calls[b].Return) })
	return s
}

func (s *permitChanges) add(calls []history.Call, i int32, p *owner) bool {
	c := &calls[i]
	switch {
	case acquires(c) && c.Known == history.Refused:
		s.refused = true
	case acquires(c) && c.Known == history.Unknown:
		if p.spare { // together they may give back what was held before
			return false
		}
		p.maybe = true
	case acquires(c):
		if p.spare {
			return false
		}
		p.has, p.got = p.has+weight(c), c.Return
		s.taken = append(s.taken, i)
	case c.Function != history.FunctionRelease, c.Known == history.Refused, c.Invoke == p.got:
		return false
	case p.has >= weight(c):
		p.has -= weight(c)
		p.maybe = p.maybe || c.Known == history.Unknown
		s.given = append(s.given, i)
	case p.maybe && (p.has > 0 || c.Known == history.Succeeded):
		return false
	case c.Known == history.Unknown:
		p.maybe, p.spare = true, true
	case s.stray < 0 || c.Return < calls[s.stray].Return:
		s.stray = i
	}
	return true
}

// weight is how many permits a call is about.
func weight(c *history.Call) int64 {
	if c.Argument == history.Nil || c.Argument == 0 {
		return 1
	}
	return int64(c.Argument)
}

// exceeded returns the violation at the first position where more than the
// permits are surely taken, or nil.
func (s *permitChanges) exceeded(calls []history.Call, permits int64) *Violation {
	sum, next := int64(0), 0
	for _, i := range s.taken {
		at := calls[i].Return
		if at >= s.until {
			break
		}
		for ; next < len(s.given) && calls[s.given[next]].Invoke <= at; next++ {
			sum -= weight(&calls[s.given[next]])
		}
		if sum += weight(&calls[i]); sum > permits {
			return tooManyTaken(calls, at, permits)
		}
	}
	return nil
}

// permitHold is what a process has at a position.
type permitHold struct {
	calls   []int32
	permits int64
}

// permitHolds returns what processes have at a position.
func permitHolds(calls []history.Call, at int64) []permitHold {
	type owned struct {
		has    int64
		calls  []int32
		parted bool // it gave back something, but not everything
		done   bool
	}
	owners := make(map[int32]*owned)
	var order []*owned
	for i := range calls {
		c := &calls[i]
		if c.Known == history.Refused || acquires(c) && (c.Known == history.Unknown || c.Return > at) {
			continue
		}
		p := owners[c.Process]
		if p == nil {
			p = &owned{}
			owners[c.Process] = p
			order = append(order, p)
		}
		switch {
		case acquires(c):
			p.has += weight(c)
			p.calls = append(p.calls, int32(i))
		case c.Invoke <= at && p.has == weight(c):
			*p = owned{}
		case c.Invoke <= at && p.has > weight(c):
			p.has -= weight(c)
			p.parted = true
			p.calls = append(p.calls, int32(i))
		case c.Invoke > at && !p.done:
			// Shown with a hold that it ends, it tells how long that lasted.
			if len(p.calls) == 1 && weight(c) == p.has {
				p.calls = append(p.calls, int32(i))
			}
			p.done = true
		}
	}
	var holds []permitHold
	for _, p := range order {
		if p.parted || p.has > 0 && acquires(&calls[p.calls[0]]) && len(p.calls) == 2 && !acquires(&calls[p.calls[1]]) {
			holds = append(holds, permitHold{p.calls, p.has})
			continue
		}
		for _, i := range p.calls {
			holds = append(holds, permitHold{[]int32{i}, weight(&calls[i])})
		}
	}
	return holds
}

func tooManyTaken(calls []history.Call, at, permits int64) *Violation {
	holds := permitHolds(calls, at)
	slices.SortStableFunc(holds, func(a, b permitHold) int { return cmp.Compare(b.permits, a.permits) })
	v := &Violation{At: at}
	sum, n := int64(0), 0
	for ; sum <= permits; n++ {
		sum += holds[n].permits
		for _, i := range holds[n].calls {
			v.Witness = append(v.Witness, calls[i])
		}
	}
	byInvocation(v.Witness)
	holds = holds[:n]
	v.tell = func(t *history.Trace) string {
		var who []string
		for _, k := range holds {
			c := &calls[k.calls[0]]
			who = append(who, fmt.Sprintf("%s %d (since %s)", t.Called(c.Process), k.permits, t.At(c.Return)))
		}
		return fmt.Sprintf("%d permits of %s, which has %d, were taken at %s: %s",
			sum, object(t, calls[0].Object), permits, t.At(at), strings.Join(who, ", "))
	}
	return v
}

// tooManyReleased tells of a process that gave back more than it had.
func tooManyReleased(calls []history.Call, stray int32) *Violation {
	c, has := calls[stray], int64(0)
	v := &Violation{At: c.Return}
	for i := range calls[:stray] {
		if b := &calls[i]; b.Process == c.Process && b.Known == history.Succeeded {
			if v.Witness = append(v.Witness, *b); acquires(b) {
				has += weight(b)
			} else if has -= weight(b); has == 0 {
				v.Witness = nil
			}
		}
	}
	v.Witness = append(v.Witness, c)
	v.tell = func(t *history.Trace) string {
		return fmt.Sprintf("%s released %d permits of %s at %s and had %d",
			t.Called(c.Process), weight(&c), object(t, c.Object), t.At(c.Invoke), has)
	}
	return v
}
