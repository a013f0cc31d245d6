package exact

import "slices"

// chain adds the configurations in which unknown calls lead from c to a state
// that e needs, and e is done there. In a memoryless object an unknown call is
// of no use but right before a call that it makes possible: before one that is
// possible anyway it could be left out, because that call leaves the same
// state, or, if it leaves the state alone, could come first.
func (s *search) chain(c config, e *effect, bit uint64) {
	switch e.needs {
	case NeedOther:
		for _, k := range s.outOf[c.state] {
			s.leadOut(c, e, bit, k)
		}
		for _, k := range s.writing {
			s.leadOut(c, e, bit, k)
		}
	case NeedOnly:
		s.path = s.path[:0]
		s.back(c, e, bit, e.state, true)
	}
}

// leadOut uses a call of a class to leave the state that e does not suit. One
// is enough: what follows it would serve something else.
func (s *search) leadOut(c config, e *effect, bit uint64, k int32) {
	s.steps++
	if s.classes[k].to != c.state && s.left(&c, k) {
		s.path = append(s.path[:0], k)
		s.lead(c, e, bit, s.classes[k].to)
	}
}

// lead adds what c becomes by the calls of the path, which end in state, and e.
func (s *search) lead(c config, e *effect, bit uint64, state int32) {
	used, cost := s.spend(&c, s.path...)
	n := config{state: state, done: c.done | bit, used: used, cost: cost}
	if e.writes {
		n.state = s.state(e.to)
	}
	s.add(n)
}

// back finds the ways from c's state to a state through unknown calls, the last
// first; the path holds what comes after.
//
// Not all ways are tried, but all that could matter. If a call leads directly
// from c's state to this one, any other way between them would, used now, leave
// that call, and, used later in the place of that call, do the same: so using
// the call is at least as good. For the same reason a call that leads here from
// anywhere makes other ways needless that go through such a call.
func (s *search) back(c config, e *effect, bit uint64, to int32, anywhere bool) {
	s.steps++
	if s.width > 0 && len(s.path) >= 3 {
		s.complete = false
		return
	}
	for _, k := range s.into[to] {
		if s.classes[k].from == c.state && s.left(&c, k) {
			s.path = append(s.path, k)
			s.lead(c, e, bit, e.state)
			s.path = s.path[:len(s.path)-1]
			return
		}
	}
	if k := s.writers[to]; anywhere && k >= 0 && s.left(&c, k) {
		s.path = append(s.path, k)
		s.lead(c, e, bit, e.state)
		s.path = s.path[:len(s.path)-1]
		anywhere = false
	}
	for _, k := range s.into[to] {
		from := s.classes[k].from
		if !s.left(&c, k) || slices.ContainsFunc(s.path, func(p int32) bool { return s.classes[p].to == from }) {
			continue
		}
		s.path = append(s.path, k)
		s.back(c, e, bit, from, anywhere)
		s.path = s.path[:len(s.path)-1]
	}
}
