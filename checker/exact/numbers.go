package exact

import "github.com/etcd-holdfast/holdfast/history"

// numbers maps values to small numbers. Values that lie close together, as
// those of generated histories do, go into a slice, which is several times
// faster than a map.
type numbers struct {
	low    history.Value
	dense  []int32 // number + 1
	sparse map[history.Value]int32
}

// newNumbers returns an empty map for the values of calls that wanted accepts.
func newNumbers(calls []history.Call, wanted func(*history.Call) bool) *numbers {
	n := &numbers{}
	high, some := history.Value(0), false
	for i := range calls {
		if !wanted(&calls[i]) {
			continue
		}
		v := calls[i].Value
		if !some {
			n.low, high, some = v, v, true
		}
		n.low, high = min(n.low, v), max(high, v)
	}
	// The difference may overflow: it is then out of range as unsigned, too.
	if span := uint64(high) - uint64(n.low); some && span < 4*uint64(len(calls))+64 {
		n.dense = make([]int32, span+1)
	} else {
		n.sparse = make(map[history.Value]int32)
	}
	return n
}

// of returns the number of v, or -1 if it has none.
func (n *numbers) of(v history.Value) int32 {
	if n.dense == nil {
		if k, ok := n.sparse[v]; ok {
			return k
		}
		return -1
	}
	if at := uint64(v) - uint64(n.low); v >= n.low && at < uint64(len(n.dense)) {
		return n.dense[at] - 1
	}
	return -1
}

// set gives v, a value that was wanted, the number k.
func (n *numbers) set(v history.Value, k int32) {
	if n.dense == nil {
		n.sparse[v] = k
		return
	}
	n.dense[uint64(v)-uint64(n.low)] = k + 1
}
