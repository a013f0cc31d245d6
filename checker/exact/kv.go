package exact

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/etcd-holdfast/holdfast/history"
)

// KV judges one key of a store that numbers its states, as etcd does: the
// Revision of a write or compare-and-set that succeeded is the one that it
// made, that of a read, or of a refused comparison, the one at which it was
// answered. The key has no value, Nil, at first. It decides where all of them
// have a revision, unless a compare-and-set of unknown outcome, or one that was
// refused beside writes of unknown outcome, leaves a choice; decided is false
// there, and where a call is none of a register.
//
// It is exact. Revisions force the order: calls go by revision, a write before
// the reads at its own. So three things are left to see to: that no two
// writes made one revision, that a call which returned before another was made
// does not come after it in that order, and that each read returned the value
// of the last write at or before its revision. A value of which that is not
// true must come from a write of unknown outcome, which then took effect at a
// revision after whatever comes before the read in the order, and no later than
// the read. As it has no return, the latest such revision is the best for it,
// and it need have been called only before what returned with a lower one. So a
// later read leaves more writes to choose from, and it is enough to take, for
// each such change of value, any unused write of that value. Sorting and one
// sweep take O(n log n).
//
// Source: the register with a known order of writes, Gibbons and Korach, "Testing
// shared memories" (SIAM J. Comput. 26, 1997).
func KV(calls []history.Call) (v *Violation, decided bool) {
	s, ok := newKV(calls)
	if !ok {
		return nil, false
	}
	f, decided := s.find(wholeHistory)
	if f == nil || !decided {
		return nil, decided
	}
	violated := func(through int64) bool { f, decided := s.find(through); return decided && f != nil }
	at := earliest(calls, f.guess, lastReturn(calls), violated)
	f, _ = s.find(at)
	witness := shrink(pick(calls, f.indexes()), func(some []history.Call) bool {
		part, ok := newKV(some)
		if !ok {
			return false
		}
		f, decided := part.find(wholeHistory)
		return decided && f != nil
	})
	return &Violation{At: at, Witness: witness, tell: f.tell}, true
}

// kv is a history and the memory of a sweep over it.
type kv struct {
	calls   []history.Call
	order   []int32 // known calls by revision, writes first
	before  []int32 // by call: of the calls that returned before it was made, the last in the order, or -1
	values  *numbers
	writers [][]int32 // by value: the calls that would write it
	used    []int32   // by value: how many of its writers are used, or known
	user    []int32   // by write of unknown outcome: the first call that it explains, or -1
	prior   []int32   // by write of unknown outcome: the write that it replaces, or -1
}

func newKV(calls []history.Call) (*kv, bool) {
	n := len(calls)
	s := &kv{calls: calls, before: make([]int32, n), user: make([]int32, n), prior: make([]int32, n)}
	s.values = newNumbers(calls, writes)
	var byReturn []int32
	for i := range calls {
		c := &calls[i]
		switch {
		case c.Function != history.FunctionRead && !writes(c),
			c.Known != history.Unknown && c.Revision <= 0,
			c.Known == history.Refused && c.Function != history.FunctionCompareAndSet:
			return nil, false
		case c.Known != history.Unknown:
			s.order, byReturn = append(s.order, int32(i)), append(byReturn, int32(i))
		}
		if writes(c) {
			k := s.values.of(c.Value)
			if k < 0 {
				k = int32(len(s.writers))
				s.values.set(c.Value, k)
				s.writers = append(s.writers, nil)
			}
			s.writers[k] = append(s.writers[k], int32(i))
		}
	}
	s.used = make([]int32, len(s.writers))
	inOrder := func(a, b int32) int {
		// At one revision a read tells the value that a comparison was refused for.
		return cmp.Or(cmp.Compare(rank(&calls[a]), rank(&calls[b])), cmp.Compare(calls[a].Known, calls[b].Known))
	}
	if !slices.IsSortedFunc(s.order, inOrder) {
		slices.SortStableFunc(s.order, inOrder)
	}
	returned := func(a, b int32) int { return cmp.Compare(calls[a].Return, calls[b].Return) }
	if !slices.IsSortedFunc(byReturn, returned) {
		slices.SortFunc(byReturn, returned)
	}
	last, next := int32(-1), 0
	for i := range calls {
		for ; next < len(byReturn) && calls[byReturn[next]].Return < calls[i].Invoke; next++ {
			if last < 0 || rank(&calls[byReturn[next]]) > rank(&calls[last]) {
				last = byReturn[next]
			}
		}
		s.before[i] = last
	}
	return s, true
}

func writes(c *history.Call) bool {
	return c.Function == history.FunctionWrite || c.Function == history.FunctionCompareAndSet
}

// rank is a call's place in the order of revisions.
func rank(c *history.Call) int64 {
	if writes(c) && c.Known == history.Succeeded {
		return 2 * c.Revision
	}
	return 2*c.Revision + 1
}

// present is what the sweep has come to: the value, the write that it is from,
// or -1, and the last call. By revision it was so, as the call seen shows, and
// at refused a comparison was refused.
type present struct {
	value             history.Value
	write, last, seen int32
	revision, refused int64
}

// find returns a violation of the history that is known by a position, or nil.
func (s *kv) find(through int64) (f *evidence, decided bool) {
	for k := range s.used {
		s.used[k] = 0
	}
	for i := range s.user {
		s.user[i], s.prior[i] = -1, -1
	}
	now := present{value: history.Nil, write: -1, last: -1, seen: -1}
	for _, i := range s.order {
		c := &s.calls[i]
		if c.Return > through {
			continue
		}
		if b := s.before[i]; b >= 0 && rank(&s.calls[b]) > rank(c) {
			return s.backward(b, i), true
		}
		switch {
		case c.Known == history.Refused:
			if now.value == c.Argument {
				if s.anyUnknown(through) {
					return nil, false
				}
				return s.misread(i, now, through), true
			}
			now.last, now.refused = i, c.Revision
			continue
		case writes(c):
			if now.write >= 0 && s.calls[now.write].Known == history.Succeeded && s.calls[now.write].Revision == c.Revision && s.calls[now.write].Return <= through {
				return s.twice(now.write, i), true
			}
			if c.Function == history.FunctionCompareAndSet {
				if ok, decided := s.explain(&now, i, c.Argument, c.Revision-1, through); !decided {
					return nil, false
				} else if !ok {
					return s.misread(i, now, through), true
				}
			}
			now.value, now.write = c.Value, i
		default:
			if ok, decided := s.explain(&now, i, c.Value, c.Revision, through); !decided {
				return nil, false
			} else if !ok {
				return s.misread(i, now, through), true
			}
		}
		now.last, now.seen, now.revision = i, i, c.Revision
	}
	return nil, true
}

// explain makes value the present one by a revision, if need be by a write of
// unknown outcome. It returns false if that is impossible.
func (s *kv) explain(now *present, i int32, value history.Value, by int64, through int64) (ok, decided bool) {
	if now.value == value {
		return true, true
	}
	k := s.values.of(value)
	if k < 0 || by <= now.revision {
		return false, true
	}
	if by <= now.refused {
		return false, false // was it refused for this value?
	}
	compared := false
	for at := s.used[k]; at < int32(len(s.writers[k])); at++ {
		w := s.writers[k][at]
		c := &s.calls[w]
		if c.Invoke > through || s.before[w] >= 0 && rank(&s.calls[s.before[w]]) >= 2*by {
			break // and so are those that were called later
		}
		if knownBy(c, through) {
			if at == s.used[k] {
				s.used[k]++
			}
			continue
		}
		if c.Function == history.FunctionCompareAndSet {
			if compared || c.Argument != now.value || s.othersUnknown(k, at+1, through) {
				compared = true
				continue
			}
		} else if compared {
			break
		}
		// Those before it in the list are known, or it is the only one.
		s.used[k] = at + 1
		s.user[w], s.prior[w] = i, now.write
		now.value, now.write, now.seen, now.revision = value, w, i, by
		return true, true
	}
	return false, !compared
}

// othersUnknown is true if a value has writers of unknown outcome from a place
// of its list on.
func (s *kv) othersUnknown(k, from int32, through int64) bool {
	for _, w := range s.writers[k][from:] {
		if c := &s.calls[w]; c.Invoke <= through && !knownBy(c, through) {
			return true
		}
	}
	return false
}

// anyUnknown is true if any write is of unknown outcome.
func (s *kv) anyUnknown(through int64) bool {
	for k := range s.writers {
		if s.othersUnknown(int32(k), 0, through) {
			return true
		}
	}
	return false
}

// witness adds to calls the writes that explain what they returned, as without
// them any answer would be wrong; and to a write of unknown outcome the call
// that shows when it happened.
func (s *kv) witness(indexes ...int32) []int32 {
	for at := 0; at < len(indexes) && at < 64; at++ {
		i := indexes[at]
		if i < 0 {
			continue
		}
		for _, more := range []int32{s.user[i], s.prior[i]} {
			if more >= 0 && !slices.Contains(indexes, more) {
				indexes = append(indexes, more)
			}
		}
		c := &s.calls[i]
		value := c.Value
		if writes(c) {
			if c.Function == history.FunctionWrite || c.Known == history.Unknown {
				continue
			}
			value = c.Argument
		}
		for _, w := range s.nearest(value, rank(c)) {
			if !slices.Contains(indexes, w) {
				indexes = append(indexes, w)
			}
		}
	}
	return indexes
}

// nearest returns the writers of a value that matter to a call at a place of
// the order: of the known ones the last before it or else the first after it,
// and the first of unknown outcome.
func (s *kv) nearest(value history.Value, at int64) []int32 {
	k := s.values.of(value)
	if k < 0 {
		return nil
	}
	best, unknown := int32(-1), int32(-1)
	for _, w := range s.writers[k] {
		if s.calls[w].Known == history.Unknown {
			if unknown < 0 {
				unknown = w
			}
			continue
		}
		here, there := rank(&s.calls[w]), int64(0)
		if best >= 0 {
			there = rank(&s.calls[best])
		}
		switch {
		case best < 0, here < at && (there >= at || here > there), here >= at && there >= at && here < there:
			best = w
		}
	}
	var found []int32
	for _, w := range []int32{best, unknown} {
		if w >= 0 {
			found = append(found, w)
		}
	}
	return found
}

// misread tells of a call whose value was not the present one.
func (s *kv) misread(i int32, now present, through int64) *evidence {
	c := s.calls[i]
	value := c.Value
	if writes(&c) {
		value = c.Argument
	}
	indexes := []int32{i, now.write, now.last, now.seen}
	if k := s.values.of(value); k >= 0 {
		for at, w := range s.writers[k] {
			if u := &s.calls[w]; u.Invoke > through || knownBy(u, through) {
				continue
			}
			indexes = append(indexes, w)
			if int32(at) >= s.used[k] {
				indexes = append(indexes, s.before[w])
				break
			}
		}
	}
	held := now.value
	did := "read %s from %s at revision %d"
	switch {
	case c.Known == history.Refused:
		did = "was told that the value is not %s in %s at revision %d"
	case writes(&c):
		did = "found %s in %s when it made revision %d"
	}
	return &evidence{indexes: func() []int32 { return s.witness(indexes...) }, guess: c.Return, tell: func(t *history.Trace) string {
		return fmt.Sprintf("%s "+did+" (by %s), where the value was %s",
			t.Called(c.Process), t.Text(value), object(t, c.Object), c.Revision, t.At(c.Return), t.Text(held))
	}}
}

// backward tells of a call that came after another in time and before it in
// the order.
func (s *kv) backward(first, second int32) *evidence {
	a, b := s.calls[first], s.calls[second]
	return &evidence{indexes: func() []int32 { return s.witness(first, second) }, guess: b.Return, tell: func(t *history.Trace) string {
		return fmt.Sprintf("%s's %s of %s at revision %d returned at %s, before %s's %s at revision %d was called at %s",
			t.Called(a.Process), a.Function, object(t, a.Object), a.Revision, t.At(a.Return),
			t.Called(b.Process), b.Function, b.Revision, t.At(b.Invoke))
	}}
}

// twice tells of two writes that made one revision.
func (s *kv) twice(first, second int32) *evidence {
	a, b := s.calls[first], s.calls[second]
	return &evidence{indexes: func() []int32 { return s.witness(first, second) }, guess: max(a.Return, b.Return), tell: func(t *history.Trace) string {
		return fmt.Sprintf("%s's write of %s to %s and %s's of %s both made revision %d",
			t.Called(a.Process), t.Text(a.Value), object(t, a.Object), t.Called(b.Process), t.Text(b.Value), a.Revision)
	}}
}
