package exact

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/etcd-holdfast/holdfast/history"
)

// PriorityQueue judges a priority queue: a Dequeue takes an element of which
// none that is present has a lower Argument, its priority; of equal ones any.
// Otherwise it is as Queue. It decides where no value is enqueued twice and
// every element has a priority, unless dequeues of unknown outcome matter in a
// way that its two bounds leave open (see below).
//
// It is exact. To dequeue an element x is to find the queue of the elements
// better than x empty, at a position of the dequeue's interval that is not
// before x's enqueue was called. An element is surely present in the open
// interval from its enqueue's return to its dequeue's call; so the history is
// linearizable only if every dequeue's interval has a position that is in no
// such interval of a better element, and for an empty dequeue, of any element.
// That suffices: let each dequeue happen at the first such position, at or
// after its call. Should it be delayed beyond the return of its own enqueue,
// then by better elements that are surely present all that time, and these
// keep away the dequeues of all that is worse than x as well; should it not be
// delayed so far, the enqueue can happen just before it. Elements are taken
// from the best to the worst, and each bars the positions of its interval. Free
// positions are calls' invocations, kept in a union-find: O(n log n).
//
// An unknown enqueue that is not dequeued never took effect. Dequeues of
// unknown outcome may take elements that are not known to be dequeued, but
// which of them take which is a real choice here, as better elements are in the
// way of more. Two bounds decide most histories: if it is a violation even
// where the first such dequeue could take every element, it is one; and if
// every dequeue happens where it would then, at the first free position, and
// the elements that must have gone by those positions can be given dequeues
// that were called by then, it is none. Otherwise decided is false.
//
// Where dequeues are unknown, or not returned yet, At may for the same reason be
// a later position than the first that proves it.
//
// Source: Bouajjani, Enea and Wang, "Checking linearizability of concurrent
// priority queues" (CONCUR 2017), for the reduction to one element and those
// better than it; Lee and Mathur (OOPSLA 2025) for it in near-linear time.
func PriorityQueue(calls []history.Call) (v *Violation, decided bool) {
	e, ok := newElements(calls)
	if !ok {
		return nil, false
	}
	q := newPriorityQueue(e)
	if q == nil {
		return nil, false
	}
	if f := q.find(wholeHistory); f != nil {
		at := earliest(calls, f.guess, lastReturn(calls), func(through int64) bool { return q.find(through) != nil })
		f = q.find(at)
		return &Violation{At: at, Witness: e.whole(f.indexes()), tell: f.tell}, true
	}
	return nil, q.possible()
}

// priorityQueue is a history and the memory of a sweep over it. Positions are
// indexes of calls: the position of a call's invocation.
type priorityQueue struct {
	*elements
	order   []int32 // elements, the best first
	from    []int32 // by element: the first position after its enqueue's return
	first   []int32 // by call: the first call with the same invocation
	next    []int32 // union-find: the first free position at or after each
	at      []int32 // by call: where a dequeue happens
	unknown []int32 // dequeues
}

// newPriorityQueue returns nil if an element has no priority.
func newPriorityQueue(e *elements) *priorityQueue {
	n := len(e.calls)
	q := &priorityQueue{
		elements: e, order: make([]int32, len(e.all)), from: make([]int32, len(e.all)),
		first: make([]int32, n), next: make([]int32, n+1), at: make([]int32, n),
	}
	for k := range e.all {
		if e.calls[e.all[k].enqueue].Argument == history.Nil {
			return nil
		}
		q.order[k], q.from[k] = int32(k), int32(n)
	}
	slices.SortStableFunc(q.order, func(a, b int32) int { return cmp.Compare(q.priority(a), q.priority(b)) })
	position := int32(0)
	for _, k := range e.byReturn {
		for position < int32(n) && e.calls[position].Invoke <= e.calls[e.all[k].enqueue].Return {
			position++
		}
		q.from[k] = position
	}
	for i := 1; i < n; i++ {
		q.first[i] = int32(i)
		if e.calls[i].Invoke == e.calls[i-1].Invoke {
			q.first[i] = q.first[i-1]
		}
	}
	return q
}

func (q *priorityQueue) priority(k int32) history.Value { return q.calls[q.all[k].enqueue].Argument }

// group returns the end of the elements of equal priority from place i of the
// order on.
func (q *priorityQueue) group(i int) int {
	end := i + 1
	for end < len(q.order) && q.priority(q.order[end]) == q.priority(q.order[i]) {
		end++
	}
	return end
}

// free returns the first free position from i on.
func (q *priorityQueue) free(i int32) int32 {
	for q.next[i] != i {
		q.next[i] = q.next[q.next[i]]
		i = q.next[i]
	}
	return i
}

// end returns the first position at which an element, whose enqueue had
// returned by a position, need not be present any more.
func (q *priorityQueue) end(k int32, through int64) int32 {
	switch {
	case q.dequeuedBy(k, through) != nil:
		return q.first[q.all[k].dequeue]
	case len(q.unknown) > 0:
		return q.first[q.unknown[0]]
	}
	return int32(len(q.calls))
}

// soonest is the first position at which the dequeue of an element can happen.
func (q *priorityQueue) soonest(k int32) int32 {
	return max(q.all[k].dequeue, q.all[k].enqueue) // of two calls the later is after the earlier
}

// find returns a violation of the history that is known by a position, or nil,
// which says that there is none only if no dequeue is unknown then.
func (q *priorityQueue) find(through int64) *evidence {
	if w := q.wrongBy(through); w != nil {
		return q.tellWrong(*w)
	}
	q.unknown = q.helpers(through, q.unknown)
	for i := range q.next {
		q.next[i] = int32(i)
	}
	n := int32(len(q.calls))
	for i := 0; i < len(q.order); {
		group := q.order[i:q.group(i)]
		for _, k := range group {
			d := q.dequeuedBy(k, through)
			if d == nil {
				continue
			}
			position := q.free(q.first[q.soonest(k)])
			if position == n || q.calls[position].Invoke > d.Return {
				return q.barred(q.all[k].dequeue, q.calls[q.soonest(k)].Invoke, q.order[:i], through)
			}
			q.at[q.all[k].dequeue] = position
		}
		for _, k := range group {
			if c := &q.calls[q.all[k].enqueue]; !knownBy(c, through) {
				continue
			}
			end := q.end(k, through)
			for position := q.free(q.from[k]); position < end; position = q.free(position) {
				q.next[position] = position + 1
			}
		}
		i += len(group)
	}
	for _, d := range q.empties {
		if q.calls[d].Return > through {
			continue
		}
		position := q.free(q.first[d])
		if position == n || q.calls[position].Invoke > q.calls[d].Return {
			return q.barred(d, q.calls[d].Invoke, q.order, through)
		}
		q.at[d] = position
	}
	return q.tooFew(through)
}

// barred tells of a dequeue, of an element enqueued at or before from or of
// none, that was kept off its whole interval by better elements.
func (q *priorityQueue) barred(d int32, from int64, better []int32, through int64) *evidence {
	c := q.calls[d]
	elements := 0
	f := &evidence{guess: c.Return}
	f.indexes = func() (all []int32) {
		all, elements = q.chain(from, c.Return, better, through)
		return append(all, d)
	}
	f.tell = func(t *history.Trace) string {
		if !found(&c) {
			return tellNotEmpty(c, elements)(t)
		}
		present := "a better element was in it"
		if elements > 1 {
			present = fmt.Sprintf("one of %d better elements that overlap was in it", elements)
		}
		return fmt.Sprintf("%s dequeued %s from %s between %s and %s, although %s all that time",
			t.Called(c.Process), t.Text(c.Value), object(t, c.Object), t.At(from), t.At(c.Return), present)
	}
	return f
}

// chain returns the calls of the fewest elements of which at every position
// from one through another one is surely present, and their number.
func (q *priorityQueue) chain(from, to int64, better []int32, through int64) (indexes []int32, elements int) {
	if from > to {
		return nil, 0
	}
	enqueued := func(k int32) int64 { return q.calls[q.all[k].enqueue].Return }
	byReturn := slices.DeleteFunc(slices.Clone(better), func(k int32) bool { return !knownBy(&q.calls[q.all[k].enqueue], through) })
	slices.SortFunc(byReturn, func(a, b int32) int { return cmp.Compare(enqueued(a), enqueued(b)) })
	next := 0
	for at := from; at <= to; elements++ {
		longest, end := int32(-1), at
		for ; next < len(byReturn) && enqueued(byReturn[next]) < at; next++ {
			if until := q.until(byReturn[next], through); until > end {
				longest, end = byReturn[next], until
			}
		}
		indexes = append(indexes, q.all[longest].enqueue)
		if q.dequeuedBy(longest, through) == nil && len(q.unknown) > 0 {
			indexes = append(indexes, q.unknown[0])
		}
		at = end
	}
	return indexes, elements
}

// until is the position that end tells, as a time.
func (q *priorityQueue) until(k int32, through int64) int64 {
	if end := q.end(k, through); end < int32(len(q.calls)) {
		return q.calls[end].Invoke
	}
	return history.NoReturn
}

// found is true if a dequeue took an element.
func found(c *history.Call) bool { return c.Known == history.Succeeded && c.Value != history.Nil }

// limit is a position by which an element must have gone, because a dequeue
// that it is in the way of happens by then.
type limit struct {
	element, dequeue int32
	by               int64
}

// limits returns, by position, when those elements must have gone that only
// dequeues of unknown outcome can have taken: the least that by tells of a
// dequeue that find has put after the return of the element's enqueue.
func (q *priorityQueue) limits(through int64, by func(d int32) int64) []limit {
	var all []limit
	seen := newMinima(len(q.calls))
	for _, d := range q.empties {
		if q.calls[d].Return <= through {
			seen.add(q.at[d], limit{-1, d, by(d)})
		}
	}
	for i := len(q.order); i > 0; { // from the worst to the best
		first := i - 1
		for first > 0 && q.priority(q.order[first-1]) == q.priority(q.order[i-1]) {
			first--
		}
		for _, k := range q.order[first:i] {
			if !knownBy(&q.calls[q.all[k].enqueue], through) || q.dequeuedBy(k, through) != nil {
				continue
			}
			if l := seen.from(q.from[k]); l.dequeue >= 0 {
				l.element = k
				all = append(all, l)
			}
		}
		for _, k := range q.order[first:i] {
			if q.dequeuedBy(k, through) != nil {
				d := q.all[k].dequeue
				seen.add(q.at[d], limit{-1, d, by(d)})
			}
		}
		i = first
	}
	slices.SortFunc(all, func(a, b limit) int { return cmp.Compare(a.by, b.by) })
	return all
}

// unmet returns the first of the limits that cannot be kept even if each
// dequeue of unknown outcome takes the element that must have gone first, or -1.
func (q *priorityQueue) unmet(limits []limit) int {
	for i, l := range limits {
		if i >= len(q.unknown) || q.calls[q.unknown[i]].Invoke > l.by {
			return i
		}
	}
	return -1
}

// possible is true if the dequeues of unknown outcome surely can take what has
// to go for every other dequeue to happen where find has put it.
func (q *priorityQueue) possible() bool {
	if len(q.unknown) == 0 {
		return true
	}
	return q.unmet(q.limits(wholeHistory, func(d int32) int64 { return q.calls[q.at[d]].Invoke })) < 0
}

// tooFew finds more elements that must have gone by a position than there are
// dequeues that can have taken them. No dequeue can happen before the position
// at which find has put it, so that better elements enqueued by then must have
// gone by its return.
func (q *priorityQueue) tooFew(through int64) *evidence {
	if len(q.unknown) == 0 {
		return nil // each element was barred until its own dequeue already
	}
	limits := q.limits(through, func(d int32) int64 { return q.calls[d].Return })
	last := q.unmet(limits)
	if last < 0 {
		return nil
	}
	f := &evidence{guess: limits[last].by, indexes: func() []int32 { return q.crowd(limits[:last+1], through) }}
	c, stays := q.calls[limits[last].dequeue], q.calls[q.all[limits[last].element].enqueue]
	f.tell = func(t *history.Trace) string {
		return fmt.Sprintf("%s's dequeue from %s returned at %s, by when %d better elements (%s is one) must have gone, and no more than %d dequeues can have taken them",
			t.Called(c.Process), object(t, c.Object), t.At(c.Return), last+1, t.Text(stays.Value), last)
	}
	return f
}

// crowd returns the calls that prove that there are too few dequeues for the
// elements of the limits: for each, why the dequeue that it is in the way of
// cannot have happened before its enqueue.
func (q *priorityQueue) crowd(limits []limit, through int64) []int32 {
	indexes := slices.Clone(q.unknown[:len(limits)-1])
	for _, l := range limits {
		indexes = append(indexes, q.all[l.element].enqueue, l.dequeue)
		from, better := q.calls[l.dequeue].Invoke, q.order
		if k := q.of[l.dequeue]; k >= 0 {
			from = q.calls[q.soonest(k)].Invoke
			n, _ := slices.BinarySearchFunc(q.order, q.priority(k), func(o int32, p history.Value) int { return cmp.Compare(q.priority(o), p) })
			better = q.order[:n]
		}
		chain, _ := q.chain(from, q.calls[q.all[l.element].enqueue].Return, better, through)
		indexes = append(indexes, chain...)
	}
	return indexes
}
