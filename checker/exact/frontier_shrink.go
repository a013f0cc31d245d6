package exact

// shrink leaves calls out of a part while the rest still is illegal at the
// return of its last call, and only such calls without which the rest proves as
// much:
//
//   - An observer: it only demands.
//   - Of a Memoryless object, all calls that need or leave one of some states,
//     if no other call needs those, and none needs the absence of a state. In a
//     legal order, leave them out: up to the next call that writes, what came
//     after one of them did not depend on the state, and that next one did not
//     depend on it either.
func (d *driver) shrink(f *part) *part {
	s := &shrinking{d: d, found: f, base: *f, last: int(f.last), budget: shrinkSteps, left: make([]bool, len(f.calls))}
	if f.died.p.effects != nil {
		absent := func(e *effect) bool { return e.needs == NeedOther }
		s.without([][]int{s.observers(absent)})
		if len(s.observers(absent)) == 0 && f.died.p.effects[f.last].needs != NeedOther {
			s.without(s.groups())
		}
	}
	var each [][]int
	for _, i := range s.observers(func(*effect) bool { return true }) {
		each = append(each, []int{i})
	}
	s.without(each)
	return s.found
}

// shrinking is the state of shrink: of the base's calls those that are left out.
type shrinking struct {
	d      *driver
	found  *part
	base   part
	last   int
	left   []bool
	budget int64
}

// observers are the indexes of the observers that are still in, but the last call.
func (s *shrinking) observers(which func(*effect) bool) []int {
	var all []int
	p := s.found.died.p
	for i, k := 0, 0; i < len(s.base.calls); i++ {
		if s.left[i] {
			continue
		}
		if p.observes[k] && i != s.last && (p.effects == nil || which(&p.effects[k])) {
			all = append(all, i)
		}
		k++
	}
	return all
}

// without leaves out as many of the sets as it can: all at once, then half of
// them at a time, and so on (Zeller and Hildebrandt, "Simplifying and isolating
// failure-inducing input", TSE 28, 2002).
func (s *shrinking) without(sets [][]int) {
	for chunk := len(sets); chunk >= 1; chunk = min(chunk/2, len(sets)) {
		var rest [][]int
		for i := 0; i < len(sets); i += chunk {
			some := sets[i:min(i+chunk, len(sets))]
			if !s.try(some) {
				rest = append(rest, some...)
			}
		}
		sets = rest
	}
}

// try leaves some sets out if the rest still dies at the same return.
func (s *shrinking) try(sets [][]int) bool {
	if s.budget <= 0 || s.d.ctx.Err() != nil {
		return false
	}
	n := 0
	for _, set := range sets {
		for _, i := range set {
			s.left[i] = true
			n++
		}
	}
	if n == 0 {
		return false
	}
	f := &part{from: s.base.from}
	for i := range s.base.calls {
		if !s.left[i] {
			f.calls, f.origin = append(f.calls, s.base.calls[i]), append(f.origin, s.base.origin[i])
		}
	}
	before := s.d.steps
	dies := s.d.dies(f, min(s.budget, windowSteps))
	s.budget -= s.d.steps - before + 8*int64(len(f.calls))
	if dies && f.origin[f.last] == s.base.origin[s.last] {
		s.found = f
		return true
	}
	for _, set := range sets {
		for _, i := range set {
			s.left[i] = false
		}
	}
	return false
}

// groupsOf parts the calls of a Memoryless object by states: two states that one
// call leads between are of one group.
func groupsOf(p *problem) func(call int) int32 {
	parent := make([]int32, p.states())
	for i := range parent {
		parent[i] = int32(i)
	}
	find := func(x int32) int32 {
		for parent[x] != x {
			parent[x] = parent[parent[x]]
			x = parent[x]
		}
		return x
	}
	for i := range p.effects {
		if e := &p.effects[i]; e.state >= 0 && e.to >= 0 {
			parent[find(e.state)] = find(e.to)
		}
	}
	return func(k int) int32 {
		e := &p.effects[k]
		return find(max(e.state, e.to, 0))
	}
}

// alone tries to prove a violation by the calls of the last one's group only,
// from the initial state: that is all of a read of what nobody wrote.
func (d *driver) alone(event int) *part {
	last := int(^d.p.events[event])
	if d.p.effects == nil || d.p.effects[last].needs == NeedOther {
		return nil
	}
	group := groupsOf(d.p)
	own, w := group(last), d.cut(event, event+1)
	n := 0
	for i, k := range w.origin {
		if group(int(k)) == own && !(d.p.observes[k] && d.p.effects[k].needs == NeedOther) {
			w.calls[n], w.origin[n] = w.calls[i], k
			n++
		}
	}
	const few = 1000
	if w.calls, w.origin = w.calls[:n], w.origin[:n]; n > few || !d.dies(&w, windowSteps) || w.origin[w.last] != int32(last) {
		return nil
	}
	return &w
}

// groups are the groups of the calls that are still in, but the last call's.
func (s *shrinking) groups() [][]int {
	group := groupsOf(s.found.died.p)
	own := int32(-1)
	var all [][]int
	number := make(map[int32]int)
	var kept []int
	for i := range s.base.calls {
		if !s.left[i] {
			if i == s.last {
				own = group(len(kept))
			}
			kept = append(kept, i)
		}
	}
	for k, i := range kept {
		g := group(k)
		if g == own {
			continue
		}
		n, ok := number[g]
		if !ok {
			n = len(all)
			number[g] = n
			all = append(all, nil)
		}
		all[n] = append(all[n], i)
	}
	return all
}
