package exact

import (
	"math/bits"
	"slices"

	"github.com/etcd-holdfast/holdfast/history"
)

// place is where in the events a search is, and what is so there for all its
// configurations: the calls that have not returned, each in a slot, and the
// calls of unknown outcome that were made.
type place struct {
	p *problem
	// event is the next one.
	event int
	slots [64]int32
	// live are the slots in use, watching those of calls that observe.
	live, watching uint64
	slotOf         []uint8
	// available counts the calls of each class that were made.
	available []int32
	total     int32
	// renamed tells what became of a class when a state died: another class, or
	// -1 if its calls can be of no more use. A class that lives is itself.
	renamed []int32
	classes []class
	dead    []bool
	// writing are the classes that lead from any state, writers the one that
	// leads to a state, into and outOf the others by their states.
	writing []int32
	writers []int32
	into    [][]int32
	outOf   [][]int32
	pools   map[class]int32
	deaths  int // that have happened
	renames []rename
}

// rename is a class's that a death brought about, and how many calls it took
// with it: what it takes to undo it.
type rename struct {
	death           int
	class, to, some int32
}

func newPlace(p *problem) *place {
	l := &place{p: p, slotOf: make([]uint8, len(p.calls))}
	n := len(p.classes)
	l.available = make([]int32, n)
	l.renamed = make([]int32, n)
	for i := range l.renamed {
		l.renamed[i] = int32(i)
	}
	l.classes = slices.Clone(p.classes)
	if p.effects == nil {
		return l
	}
	states := p.states()
	l.dead = make([]bool, states)
	l.writers = make([]int32, states)
	for i := range l.writers {
		l.writers[i] = -1
	}
	l.into, l.outOf = make([][]int32, states), make([][]int32, states)
	l.pools = make(map[class]int32)
	for i := range p.classes {
		l.link(int32(i))
	}
	l.bury(-1)
	return l
}

// link makes a class known by its states.
func (l *place) link(c int32) {
	k := l.classes[c]
	if k.from < 0 {
		l.writing = append(l.writing, c)
		l.writers[k.to] = c
		return
	}
	l.into[k.to] = append(l.into[k.to], c)
	l.outOf[k.from] = append(l.outOf[k.from], c)
}

func (l *place) unlink(c int32) {
	k := l.classes[c]
	is := func(x int32) bool { return x == c }
	if k.from < 0 {
		l.writing = slices.DeleteFunc(l.writing, is)
		l.writers[k.to] = -1
		return
	}
	l.into[k.to] = slices.DeleteFunc(l.into[k.to], is)
	l.outOf[k.from] = slices.DeleteFunc(l.outOf[k.from], is)
}

// invoke notes that a call was made; false means that there are too many at once.
func (l *place) invoke(call int32) bool {
	if l.p.calls[call].Known == history.Unknown {
		if c := l.class(l.p.classOf[call]); c >= 0 {
			l.available[c]++
			l.total++
		}
		return true
	}
	slot := bits.TrailingZeros64(^l.live)
	if slot == 64 {
		return false
	}
	l.enter(call, uint8(slot))
	return true
}

func (l *place) enter(call int32, slot uint8) {
	l.slots[slot], l.slotOf[call] = call, slot
	l.live |= 1 << slot
	if l.p.observes[call] {
		l.watching |= 1 << slot
	}
}

func (l *place) bit(call int32) uint64 { return 1 << l.slotOf[call] }

func (l *place) leave(call int32) {
	l.live &^= l.bit(call)
	l.watching &^= l.bit(call)
}

// rewind goes back to an earlier event.
func (l *place) rewind(event int) {
	for l.event > event {
		l.event--
		e := l.p.events[l.event]
		switch {
		case e < 0:
			l.unbury(int32(l.event))
			l.enter(^e, l.slotOf[^e])
		case l.p.calls[e].Known == history.Unknown:
			if c := l.class(l.p.classOf[e]); c >= 0 {
				l.available[c]--
				l.total--
			}
		default:
			l.leave(e)
		}
	}
}

// class is what a class is called now, or -1.
func (l *place) class(c int32) int32 {
	for c >= 0 && l.renamed[c] != c {
		c = l.renamed[c]
	}
	return c
}

// state is what a state is called now.
func (l *place) state(s int32) int32 {
	if l.dead[s] {
		return other
	}
	return s
}

// bury lets the states die of which the event was the last need. It reports
// whether there were any: configurations must be renamed then.
func (l *place) bury(event int32) bool {
	before := l.deaths
	for l.deaths < len(l.p.deaths) && l.p.deaths[l.deaths].event <= event {
		s := l.p.deaths[l.deaths].state
		l.deaths++
		l.dead[s] = true
		// What led from it leads to states that are dead, too: of no more use.
		for _, c := range slices.Clone(l.outOf[s]) {
			l.rename(c, -1)
		}
		for _, c := range slices.Clone(l.into[s]) {
			l.rename(c, l.pool(l.classes[c].from))
		}
		if c := l.writers[s]; c >= 0 {
			l.rename(c, l.pool(-1))
		}
	}
	return l.deaths > before
}

// pool is the class that leads to the states that nothing tells apart.
func (l *place) pool(from int32) int32 {
	if from >= 0 && l.dead[from] {
		return -1
	}
	k := class{from: from, to: other, call: -1}
	c, ok := l.pools[k]
	if !ok {
		c = int32(len(l.classes))
		l.pools[k] = c
		l.classes = append(l.classes, k)
		l.available = append(l.available, 0)
		l.renamed = append(l.renamed, c)
		l.link(c)
	}
	return c
}

func (l *place) rename(c, to int32) {
	l.renames = append(l.renames, rename{l.deaths, c, to, l.available[c]})
	l.unlink(c)
	l.renamed[c] = to
	if to >= 0 {
		l.available[to] += l.available[c]
	} else {
		l.total -= l.available[c]
	}
	l.available[c] = 0
}

// unbury undoes bury of an event.
func (l *place) unbury(event int32) {
	for l.deaths > 0 && l.p.deaths[l.deaths-1].event == event {
		for n := len(l.renames) - 1; n >= 0 && l.renames[n].death == l.deaths; n-- {
			r := l.renames[n]
			l.renames = l.renames[:n]
			l.renamed[r.class] = r.class
			l.available[r.class] = r.some
			if r.to >= 0 {
				l.available[r.to] -= r.some
			} else {
				l.total += r.some
			}
			l.link(r.class)
		}
		l.deaths--
		l.dead[l.p.deaths[l.deaths].state] = false
	}
}
