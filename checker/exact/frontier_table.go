package exact

import (
	"cmp"
	"slices"
)

// config is a configuration: the state after some calls took effect in some
// order. done are the slots of the live calls among them, used the calls of
// unknown outcome, by class, cost how many those are. used is never changed.
type config struct {
	state int32
	cost  int32
	done  uint64
	used  []use
}

// use is how many calls of a class were used up.
type use struct{ class, count int32 }

// table holds configurations of which none dominates another: a configuration
// dominates one of the same state and the same live calls done, as to those
// that change the state, if it used no more of any class and has at least the
// same observers done. Whatever can follow the dominated one can follow it.
type table struct {
	entries  []entry
	buckets  []int32 // head of a list of entries, plus one
	touched  []int32
	watching uint64
	// usedBytes is about what the entries' used take.
	usedBytes int64
}

type entry struct {
	config
	next    int32
	dropped bool
}

func (t *table) reset(watching uint64) {
	if t.buckets == nil {
		t.buckets = make([]int32, 256)
	}
	for _, b := range t.touched {
		t.buckets[b] = 0
	}
	t.touched = t.touched[:0]
	t.entries = t.entries[:0]
	t.watching = watching
	t.usedBytes = 0
}

func (t *table) bucket(c *config) int32 {
	h := uint64(uint32(c.state))*0x9E3779B97F4A7C15 ^ (c.done&^t.watching)*0xC2B2AE3D27D4EB4F
	h ^= h >> 29
	h *= 0xBF58476D1CE4E5B9
	return int32(h >> 32 & uint64(len(t.buckets)-1))
}

// add puts a configuration in, unless one dominates it.
func (t *table) add(c config) {
	if len(t.entries) > 2*len(t.buckets) {
		t.grow()
	}
	b := t.bucket(&c)
	changing := c.done &^ t.watching
	for i := t.buckets[b]; i != 0; {
		e := &t.entries[i-1]
		i = e.next
		if e.dropped || e.state != c.state || e.done&^t.watching != changing {
			continue
		}
		if e.done&c.done == c.done && e.cost <= c.cost && atMost(e.used, c.used) {
			return
		}
		if e.done&c.done == e.done && c.cost <= e.cost && atMost(c.used, e.used) {
			e.dropped = true
		}
	}
	if t.buckets[b] == 0 {
		t.touched = append(t.touched, b)
	}
	t.entries = append(t.entries, entry{config: c, next: t.buckets[b]})
	t.buckets[b] = int32(len(t.entries))
	t.usedBytes += int64(len(c.used)) * 8
}

func (t *table) grow() {
	t.buckets = make([]int32, 4*len(t.buckets))
	t.touched = t.touched[:0]
	for i := range t.entries {
		e := &t.entries[i]
		b := t.bucket(&e.config)
		if t.buckets[b] == 0 {
			t.touched = append(t.touched, b)
		}
		e.next = t.buckets[b]
		t.buckets[b] = int32(i) + 1
	}
}

// atMost says whether a used no more of any class than b; both are by class.
func atMost(a, b []use) bool {
	if len(a) > len(b) {
		return false
	}
	j := 0
	for _, u := range a {
		for j < len(b) && b[j].class < u.class {
			j++
		}
		if j == len(b) || b[j].class != u.class || b[j].count < u.count {
			return false
		}
	}
	return true
}

// with returns used and one more of each class given.
func with(used []use, classes ...int32) []use {
	all := make([]use, len(used), len(used)+len(classes))
	copy(all, used)
	for _, c := range classes {
		i, ok := slices.BinarySearchFunc(all, c, func(u use, c int32) int { return cmp.Compare(u.class, c) })
		if ok {
			all[i].count++
		} else {
			all = slices.Insert(all, i, use{c, 1})
		}
	}
	return all
}

// count is how many of a class were used.
func count(used []use, c int32) int32 {
	for _, u := range used {
		if u.class == c {
			return u.count
		}
	}
	return 0
}
