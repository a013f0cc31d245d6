package exact

import (
	"cmp"
	"context"
	"math/bits"
	"slices"

	"github.com/etcd-holdfast/holdfast/history"
)

// outcome is how a search ended, or that it goes on.
type outcome uint8

const (
	goesOn outcome = iota
	survived
	died
	limited
)

// search takes a set of configurations from event to event.
type search struct {
	*place
	ctx   context.Context
	front []config
	table table
	// width bounds how many configurations are kept, 0 is all.
	width int
	// eager uses calls of unknown outcome wherever they make a live call
	// possible, else only when no configuration would survive without.
	eager bool
	// inexhaustible lets a call of unknown outcome take effect any number of
	// times: then a death is still a proof, a survival is none.
	inexhaustible bool
	// complete says that no configuration was left out so far but dominated
	// ones, so that a death is a proof.
	complete bool
	steps    int64
	maxSteps int64 // 0 is no limit
	maxBytes int64 // 0 is no limit
	kept     int64 // bytes that others keep meanwhile
	limit    limitKind
	after    []int32
	path     []int32
	chains   bool // use calls of unknown outcome in this expansion
}

type limitKind uint8

const (
	limitNone limitKind = iota
	limitBytes
	limitSteps
	limitTime
	limitLive
)

func newSearch(ctx context.Context, p *problem) *search {
	s := &search{ctx: ctx, place: newPlace(p), complete: true}
	s.table.reset(0)
	for _, state := range p.initial {
		if s.dead != nil {
			state = s.state(state)
		}
		s.table.add(config{state: state})
	}
	s.keep(0)
	return s
}

// next takes the front over one event. On died, the event is the return at
// which no configuration survived, front what there was before it.
func (s *search) next() outcome {
	if s.event == len(s.p.events) {
		return survived
	}
	if s.event&255 == 0 && s.ctx.Err() != nil {
		s.limit = limitTime
		return limited
	}
	e := s.p.events[s.event]
	if e >= 0 {
		if !s.invoke(e) {
			s.limit = limitLive
			return limited
		}
		if s.p.observes[e] && s.p.calls[e].Known != history.Unknown {
			bit := s.bit(e)
			for i := range s.front {
				if s.met(s.front[i].state, e) {
					s.front[i].done |= bit
				}
			}
			s.steps += int64(len(s.front))
		}
		s.event++
		return goesOn
	}
	call := ^e
	bit := s.bit(call)
	for i := range s.front {
		if s.front[i].done&bit == 0 {
			if o := s.linearize(call, bit); o != goesOn {
				return o
			}
			break
		}
	}
	for i := range s.front {
		s.front[i].done &^= bit
	}
	s.leave(call)
	s.forget()
	s.event++
	return goesOn
}

// forget renames what died at this event.
func (s *search) forget() {
	if !s.bury(int32(s.event)) {
		return
	}
	for i := range s.front {
		c := &s.front[i]
		c.state = s.state(c.state)
		c.used, c.cost = s.rewrite(c.used)
	}
	if len(s.front) == 1 {
		return
	}
	s.table.reset(s.watching)
	for _, c := range s.front {
		s.table.add(c)
	}
	s.keep(0)
}

// rewrite renames the classes of used.
func (s *search) rewrite(used []use) ([]use, int32) {
	same, cost := true, int32(0)
	for _, u := range used {
		same = same && s.renamed[u.class] == u.class
		cost += u.count
	}
	if same {
		return used, cost
	}
	var all []use
	cost = 0
	for _, u := range used {
		c := s.class(u.class)
		if c < 0 {
			continue
		}
		cost += u.count
		i, ok := slices.BinarySearchFunc(all, c, func(u use, c int32) int { return cmp.Compare(u.class, c) })
		if ok {
			all[i].count += u.count
		} else {
			all = slices.Insert(all, i, use{c, u.count})
		}
	}
	return all, cost
}

// met says whether a live call can take effect in a state.
func (s *search) met(state, call int32) bool {
	if s.p.effects != nil {
		return s.p.effects[call].met(state)
	}
	s.after = s.p.step(state, call, s.after[:0])
	return len(s.after) > 0
}

// linearize makes all of the front have the call done, which is about to
// return, after whatever live calls may come before it.
func (s *search) linearize(call int32, bit uint64) outcome {
	t := &s.table
	t.reset(s.watching)
	for _, c := range s.front {
		if c.done&bit != 0 {
			t.add(c)
		}
	}
	for _, c := range s.front {
		if c.done&bit == 0 {
			t.add(c)
		}
	}
	s.chains = s.eager && s.total > 0
	for {
		for i := 0; i < len(t.entries); i++ {
			if e := &t.entries[i]; e.dropped || e.done&bit != 0 {
				continue
			}
			s.expand(t.entries[i].config)
			if s.over() {
				return limited
			}
			if w := s.most(); w > 0 && len(t.entries) > 16*w {
				s.complete = false
				break
			}
		}
		if s.total == 0 || s.chains {
			break
		}
		if slices.ContainsFunc(t.entries, func(e entry) bool { return !e.dropped && e.done&bit != 0 }) {
			s.complete = false // others, with unknown calls, were not looked for
			break
		}
		s.chains = true
	}
	if !s.keep(bit) {
		return died
	}
	return goesOn
}

// over says whether a limit is reached.
func (s *search) over() bool {
	switch {
	case s.maxSteps > 0 && s.steps >= s.maxSteps:
		s.limit = limitSteps
	case s.maxBytes > 0 && s.bytes() > s.maxBytes:
		s.limit = limitBytes
	case s.steps&1023 == 0 && s.ctx.Err() != nil:
		s.limit = limitTime
	default:
		return false
	}
	return true
}

// bytes is about what the search takes.
func (s *search) bytes() int64 {
	return s.kept + int64(cap(s.table.entries))*56 + int64(cap(s.front))*40 + 2*s.table.usedBytes + s.p.size() +
		int64(len(s.p.calls))*48
}

// keep makes the front of the entries that have bit done; if there are none it
// leaves the front as it is and returns false.
func (s *search) keep(bit uint64) bool {
	n := 0
	for i := range s.table.entries {
		if e := &s.table.entries[i]; !e.dropped && e.done&bit == bit {
			n++
		}
	}
	if n == 0 {
		return false
	}
	s.front = s.front[:0]
	for i := range s.table.entries {
		if e := &s.table.entries[i]; !e.dropped && e.done&bit == bit {
			s.front = append(s.front, e.config)
		}
	}
	if w := s.most(); w > 0 && n > w {
		s.complete = false
		slices.SortStableFunc(s.front, func(a, b config) int { return cmp.Compare(a.cost, b.cost) })
		s.front = s.front[:w]
	}
	return true
}

// most is how many configurations to keep, 0 is all. Without unknown calls they
// are few by themselves, and all of them make a death a proof.
func (s *search) most() int {
	if s.total == 0 {
		return 32 * s.width
	}
	return s.width
}

// expand adds the configurations that are one live call further than c, or one
// with unknown calls right before it.
func (s *search) expand(c config) {
	for rest := s.live &^ c.done; rest != 0; rest &= rest - 1 {
		bit := rest & -rest
		call := s.slots[bits.TrailingZeros64(bit)]
		s.steps++
		if s.p.effects == nil {
			if s.watching&bit == 0 {
				from := len(s.after)
				s.after = s.p.step(c.state, call, s.after)
				s.addAll(c, from, c.done|bit, c.used, c.cost)
			}
			continue
		}
		e := &s.p.effects[call]
		switch {
		case !e.met(c.state):
			if s.chains {
				s.chain(c, e, bit)
			}
		case e.writes:
			s.add(config{state: s.state(e.to), done: c.done | bit, used: c.used, cost: c.cost})
		}
	}
	if s.p.effects == nil && s.chains {
		s.useAny(c)
	}
}

// addAll adds the states that step put into after, from an index on.
func (s *search) addAll(c config, from int, done uint64, used []use, cost int32) {
	states := slices.Clone(s.after[from:])
	s.after = s.after[:from]
	for _, state := range states {
		s.add(config{state: state, done: done, used: used, cost: cost})
	}
}

// useAny adds what c becomes by one unknown call of each class: where states
// have a memory, one can matter long before it shows.
func (s *search) useAny(c config) {
	for k := range s.classes {
		if !s.left(&c, int32(k)) {
			continue
		}
		s.steps++
		from := len(s.after)
		s.after = s.p.step(c.state, s.classes[k].call, s.after)
		if len(s.after) == from {
			continue
		}
		used, cost := s.spend(&c, int32(k))
		s.addAll(c, from, c.done, used, cost)
	}
}

// left says whether c has a call of a class left.
func (s *search) left(c *config, k int32) bool {
	if s.available[k] == 0 {
		return false
	}
	return s.inexhaustible || count(c.used, k) < s.available[k]
}

func (s *search) spend(c *config, classes ...int32) ([]use, int32) {
	if s.inexhaustible {
		return nil, 0
	}
	return with(c.used, classes...), c.cost + int32(len(classes))
}

// add puts a configuration into the table, with the observers done that its
// state allows: they change nothing, so that later would be no better.
func (s *search) add(c config) {
	for rest := s.live & s.watching &^ c.done; rest != 0; rest &= rest - 1 {
		bit := rest & -rest
		s.steps++
		if s.met(c.state, s.slots[bits.TrailingZeros64(bit)]) {
			c.done |= bit
		}
	}
	s.table.add(c)
}
