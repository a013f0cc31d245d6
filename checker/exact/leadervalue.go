package exact

import (
	"cmp"
	"slices"
	"sort"

	"github.com/etcd-holdfast/holdfast/history"
)

// Reign is a state of a leader value, which lasts until the next one. It began
// within [Earliest, Latest]; Latest is NoReturn if it may not have begun.
type Reign struct {
	Earliest, Latest int64
	Value            history.Value
}

// Misread is a read for which no state is left. Its fields are indexes.
type Misread struct {
	Read int
	// After is the earlier read that had seen a later state, if that is why, or -1.
	After int
	// State is the one that the read had to see at the least.
	State int
}

// LeaderValue judges reads, all of which succeeded, of a leader value whose
// states are known with their order, and returns those for which no state is
// left, by their returns; none if the reads are linearizable. The first state
// is there from the start; the bounds of the others never fall, and each
// Earliest is at most its Latest. A value may come again.
//
// It is exact. The order of the writes is forced, and what is left is to give
// every read a state that has its value, such that the reads keep their
// real-time order and no read sees a change that cannot have happened by its
// return, or misses one that had surely happened before its call. Taking the
// reads by return and giving each the earliest state that is allowed decides
// it: a later choice only narrows what is left for the reads that follow. A
// read that is misread is left out for the rest. It takes O(n log n).
//
// Source: the register with a known order of writes, Gibbons and Korach, "Testing
// shared memories" (SIAM J. Comput. 26, 1997).
func LeaderValue(states []Reign, reads []history.Call) []Misread {
	having := make(map[history.Value][]int)
	for i := range states {
		having[states[i].Value] = append(having[states[i].Value], i)
	}
	order := make([]int, len(reads))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(reads[a].Return, reads[b].Return) })

	type seen struct {
		until     int64
		state, by int
	}
	var settled []seen // by until, state rising: the latest state seen by reads that returned until then
	var wrong []Misread
	for _, i := range order {
		read := &reads[i]
		// Changes that had surely happened before the call cannot be missed.
		least := max(0, sort.Search(len(states), func(k int) bool { return k > 0 && states[k].Latest >= read.Invoke })-1)
		after := -1
		if k := sort.Search(len(settled), func(k int) bool { return settled[k].until >= read.Invoke }); k > 0 && settled[k-1].state > least {
			least, after = settled[k-1].state, settled[k-1].by
		}
		candidates := having[read.Value]
		k := sort.SearchInts(candidates, least)
		if k == len(candidates) || states[candidates[k]].Earliest > read.Return {
			wrong = append(wrong, Misread{i, after, least})
			continue
		}
		if n := len(settled); n == 0 || settled[n-1].state < candidates[k] {
			settled = append(settled, seen{read.Return, candidates[k], i})
		}
	}
	return wrong
}
