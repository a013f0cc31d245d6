package exact

import "github.com/etcd-holdfast/holdfast/history"

// minima keeps limits at positions, and tells the least at or after a position:
// a Fenwick tree over the positions from the last to the first. Adding and
// asking take O(log n).
type minima []limit

func newMinima(n int) minima {
	m := make(minima, n+1)
	for i := range m {
		m[i] = limit{-1, -1, history.NoReturn}
	}
	return m
}

func (m minima) add(position int32, l limit) {
	for i := len(m) - 1 - int(position); i < len(m); i += i & -i {
		if l.by < m[i].by {
			m[i] = l
		}
	}
}

// from returns the least limit at or after a position; its dequeue is -1 if
// there is none.
func (m minima) from(position int32) limit {
	least := limit{-1, -1, history.NoReturn}
	for i := len(m) - 1 - int(position); i > 0; i -= i & -i {
		if m[i].by < least.by {
			least = m[i]
		}
	}
	return least
}
