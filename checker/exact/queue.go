package exact

import (
	"fmt"

	"github.com/etcd-holdfast/holdfast/history"
)

// Queue judges a queue, first in, first out. It decides where no value is
// enqueued twice and no enqueue was refused; decided is false elsewhere, and
// the general search is needed. A Dequeue that was Refused, or that succeeded
// with Nil, found the queue empty.
//
// It is exact. A history in which all dequeues are known is linearizable unless
// (1) a value is dequeued that was not enqueued by then, or (2) twice, or (3)
// an element a whose enqueue returned before b's was made is dequeued after
// b, its dequeue made after b's had returned, or never, or (4) a dequeue found
// nothing although the queue was surely not empty at any position of its
// interval. For (4) it is not enough to look at who was surely present when:
// let the queue be empty at position T; an element whose enqueue, or dequeue,
// had returned before T then has gone by T, so that T is no earlier than its
// dequeue's call. From the call of the empty dequeue on, T rises in this way
// from element to element as long as they overlap, and it is a violation if T
// rises beyond its return. So the open intervals in which elements are surely
// present are joined where they overlap, and no empty dequeue may lie inside.
//
// A dequeue of unknown outcome may have taken one of the elements that are not
// known to be dequeued, at any position from its call. Dequeues are
// interchangeable but for their calls, and both (3) and (4) are the weaker the
// earlier an element's dequeue was called, the more so the earlier its enqueue
// returned: exchanging two dequeues such that the earlier one goes to the
// earlier element never makes a violation. So the k-th element by its enqueue's
// return is given the k-th dequeue by call, and that decides. (It is Hall's
// condition on nested sets.) An unknown enqueue that is not dequeued never took
// effect; one that is took effect before that dequeue returned.
//
// All of it are sweeps over sorted calls: O(n log n), and O(n) if they return in
// about the order of their calls.
//
// Source: Gibbons and Korach, "Testing shared memories" (SIAM J. Comput. 26,
// 1997); Henzinger, Sezgin and Vafeiadis, "Aspect-oriented linearizability
// proofs" (CONCUR 2013); Bouajjani, Emmi, Enea and Hamza, "On reducing
// linearizability to state reachability" (ICALP 2015), for the four patterns;
// Abdulla et al. (PLDI 2025) and Lee and Mathur (OOPSLA 2025) for their sweeps.
func Queue(calls []history.Call) (v *Violation, decided bool) {
	e, ok := newElements(calls)
	if !ok {
		return nil, false
	}
	q := &queue{elements: e}
	f := q.find(wholeHistory)
	if f == nil {
		return nil, true
	}
	at := earliest(calls, f.guess, lastReturn(calls), func(through int64) bool { return q.find(through) != nil })
	f = q.find(at)
	return &Violation{At: at, Witness: e.whole(f.indexes()), tell: f.tell}, true
}

// queue is a history and the memory of a sweep over it.
type queue struct {
	*elements
	unknown []int32 // dequeues
	ends    []int64 // by byReturn: until when it is surely present
	spans   []span
}

// span is a stretch in which a queue is surely not empty, both ends excluded.
type span struct{ from, to int64 }

// evidence is what find finds: the calls that make the violation, to be asked
// for before the next find, about where it is proved, and its sentence.
type evidence struct {
	indexes func() []int32
	guess   int64
	tell    func(t *history.Trace) string
}

// find returns a violation of the history that is known by a position, or nil.
func (q *queue) find(through int64) *evidence {
	if w := q.wrongBy(through); w != nil {
		return q.tellWrong(*w)
	}
	q.unknown = q.helpers(through, q.unknown)
	q.ends = q.ends[:0]
	used := 0
	for _, k := range q.byReturn {
		if q.calls[q.all[k].enqueue].Return > through {
			break
		}
		end := int64(history.NoReturn)
		if d := q.dequeuedBy(k, through); d != nil {
			end = d.Invoke
		} else {
			if used < len(q.unknown) {
				end = q.calls[q.unknown[used]].Invoke
			}
			used++
		}
		q.ends = append(q.ends, end)
	}
	if f := q.overtaken(through); f != nil {
		return f
	}
	return q.falselyEmpty(through)
}

// overtaken finds an element that was dequeued although one that was surely
// enqueued before it is dequeued after it, or never.
func (q *queue) overtaken(through int64) *evidence {
	next, last := 0, -1 // of those enqueued before: the one that is present longest
	for k := range q.all {
		enqueued := q.calls[q.all[k].enqueue].Invoke
		if enqueued > through {
			break
		}
		for ; next < len(q.ends) && q.calls[q.all[q.byReturn[next]].enqueue].Return < enqueued; next++ {
			if last < 0 || q.ends[next] > q.ends[last] {
				last = next
			}
		}
		d := q.dequeuedBy(int32(k), through)
		if d == nil || last < 0 || q.ends[last] <= d.Return {
			continue
		}
		stays := q.all[q.byReturn[last]]
		first, second, taken := q.calls[stays.enqueue], q.calls[q.all[k].enqueue], *d
		return &evidence{
			indexes: func() []int32 {
				return q.with([]int{last}, []int32{q.all[k].enqueue, q.all[k].dequeue}, through)
			},
			guess: d.Return,
			tell: func(t *history.Trace) string {
				return fmt.Sprintf("%s dequeued %s from %s at %s, while %s was still in it, whose enqueue by %s had returned at %s, before that of %s was called at %s",
					t.Called(taken.Process), t.Text(taken.Value), object(t, taken.Object), t.At(taken.Return),
					t.Text(first.Value), t.Called(first.Process), t.At(first.Return), t.Text(second.Value), t.At(second.Invoke))
			},
		}
	}
	return nil
}

// falselyEmpty finds a dequeue that found nothing while the queue was surely
// not empty.
func (q *queue) falselyEmpty(through int64) *evidence {
	if len(q.empties) == 0 {
		return nil
	}
	q.spans = q.spans[:0]
	for i, end := range q.ends {
		from := q.calls[q.all[q.byReturn[i]].enqueue].Return
		if from >= end {
			continue
		}
		if n := len(q.spans); n > 0 && from < q.spans[n-1].to {
			q.spans[n-1].to = max(q.spans[n-1].to, end)
		} else {
			q.spans = append(q.spans, span{from, end})
		}
	}
	next := 0
	for _, i := range q.empties {
		c := &q.calls[i]
		for next < len(q.spans) && q.spans[next].from < c.Invoke {
			next++
		}
		if next > 0 && c.Return < q.spans[next-1].to && c.Return <= through {
			return q.neverEmpty(c, i, through)
		}
	}
	return nil
}

// neverEmpty tells of a dequeue that found nothing, with as few of the elements
// that cover its interval as possible.
func (q *queue) neverEmpty(c *history.Call, index int32, through int64) *evidence {
	var chain []int
	next := 0
	for at := c.Invoke; at <= c.Return; {
		longest := -1
		for ; next < len(q.ends) && q.calls[q.all[q.byReturn[next]].enqueue].Return < at; next++ {
			if longest < 0 || q.ends[next] > q.ends[longest] {
				longest = next
			}
		}
		chain = append(chain, longest)
		at = q.ends[longest]
	}
	return &evidence{func() []int32 { return q.with(chain, []int32{index}, through) }, c.Return, tellNotEmpty(*c, len(chain))}
}

func tellNotEmpty(c history.Call, elements int) func(t *history.Trace) string {
	return func(t *history.Trace) string {
		present := "an element was in it"
		if elements > 1 {
			present = fmt.Sprintf("one of %d elements that overlap was in it", elements)
		}
		return fmt.Sprintf("%s, dequeuing from %s from %s to %s, was told that it is empty, although %s all that time",
			t.Called(c.Process), object(t, c.Object), t.At(c.Invoke), t.At(c.Return), present)
	}
}

// with returns the calls of the elements at the given places of byReturn, next
// to others. If one of them is only kept by there being too few dequeues of
// unknown outcome, these and the elements that come before it are part of the
// proof.
func (q *queue) with(places []int, others []int32, through int64) []int32 {
	kept := -1
	for _, place := range places {
		others = append(others, q.all[q.byReturn[place]].enqueue, q.all[q.byReturn[place]].dequeue)
		if q.dequeuedBy(q.byReturn[place], through) == nil {
			kept = max(kept, place)
		}
	}
	rank := 0
	for place := range kept {
		if k := q.byReturn[place]; q.dequeuedBy(k, through) == nil {
			if rank < len(q.unknown) {
				others = append(others, q.all[k].enqueue, q.unknown[rank])
			}
			rank++
		}
	}
	return others
}
