package exact

import (
	"math"
	"slices"

	"github.com/etcd-holdfast/holdfast/history"
)

// wholeHistory is the position through which a whole history is known.
const wholeHistory = history.NoReturn - 1

// knownBy is true if by the position through it was known what came of c.
// A history cut at a position has the calls that were made by then, and those
// that had not returned by then are unknown.
func knownBy(c *history.Call, through int64) bool {
	return c.Known != history.Unknown && c.Return <= through
}

// earliest returns the first position at which a history is proved to be a
// violation: the first return such that the history cut there is one. That a
// cut is a violation never mends, because a linearization of the whole, cut, is
// one of the part; so violated may be searched by halves. The history cut at
// the position proved is known to be a violation; guess is where the answer is
// likely to be, and about 2 log d cuts are tried where it is d returns away.
func earliest(calls []history.Call, guess, proved int64, violated func(through int64) bool) int64 {
	returns := make([]int64, 0, len(calls))
	for i := range calls {
		if knownBy(&calls[i], proved) {
			returns = append(returns, calls[i].Return)
		}
	}
	if !slices.IsSorted(returns) {
		slices.Sort(returns)
	}
	returns = slices.Compact(returns)
	high := len(returns) - 1 // surely violated
	low := -1                // surely not
	at, _ := slices.BinarySearch(returns, guess)
	for step := 1; low < at && at < high; step *= 2 {
		if violated(returns[at]) {
			high, at = at, at-step
		} else {
			low, at = at, at+step
		}
	}
	// The guess itself is most often right: then the return before it decides.
	if low < high-1 && returns[high] == guess {
		if !violated(returns[high-1]) {
			return returns[high]
		}
		high--
	}
	for low < high-1 {
		if middle := (low + high) / 2; violated(returns[middle]) {
			high = middle
		} else {
			low = middle
		}
	}
	return returns[high]
}

// lastReturn is the last position at which one of the calls is known to have
// returned.
func lastReturn(calls []history.Call) int64 {
	last := int64(math.MinInt64)
	for i := range calls {
		if calls[i].Known != history.Unknown {
			last = max(last, calls[i].Return)
		}
	}
	return last
}

// pick returns the calls with the given indexes, each once, in the order of
// their invocations; indexes below 0 are none.
func pick(calls []history.Call, indexes []int32) []history.Call {
	slices.Sort(indexes)
	var picked []history.Call
	for _, i := range slices.Compact(indexes) {
		if i >= 0 {
			picked = append(picked, calls[i])
		}
	}
	return picked
}

// shrink leaves out one call after another as long as what is left is a
// violation. It never parts a call from the one whose value it returned:
// without it any answer would be wrong. It is for a handful of calls.
func shrink(witness []history.Call, violated func([]history.Call) bool) []history.Call {
	for i := len(witness) - 1; i >= 0; i-- {
		if without := slices.Delete(slices.Clone(witness), i, i+1); !orphans(witness[i], without) && violated(without) {
			witness = without
		}
	}
	return witness
}

// orphans is true if one of the others returned, or compared with, what c wrote.
func orphans(c history.Call, others []history.Call) bool {
	if c.Function != history.FunctionWrite && c.Function != history.FunctionCompareAndSet {
		return false
	}
	for i := range others {
		o := &others[i]
		if o.Function == history.FunctionRead && o.Value == c.Value ||
			o.Function == history.FunctionCompareAndSet && o.Argument == c.Value {
			return true
		}
	}
	return false
}
