package holdfast

import (
	"maps"
	"slices"
	"time"

	"github.com/etcd-holdfast/holdfast/faults"
	"github.com/etcd-holdfast/holdfast/internal/ddmin"
	"github.com/etcd-holdfast/holdfast/quantity"
)

// shrink makes the best scenario smaller until nothing that is tried does, or time
// is over.
func (h *shrinker) shrink() {
	h.unseed()
	for h.ctx.Err() == nil {
		before := h.best
		for _, pass := range []func(){
			h.end, h.workloads, h.around, h.faults, h.survivors, h.pin, h.clients, h.rounds, h.members,
		} {
			pass()
			h.unseed()
		}
		if h.best == before {
			break
		}
	}
	h.search()
	h.unsteady()
	h.polish()
	if h.search() {
		h.polish()
	}
	h.last()
	h.polish()
}

// search looks harder for a scenario that does not need its seed: with a fault that
// strikes a little sooner or later, or that keeps answers back in the place of one
// that had to strike while one was on its way. It returns whether there is one.
func (h *shrinker) search() bool {
	if h.form != seeded {
		return false
	}
	for _, f := range []form{free, steady} {
		var scenarios []Scenario
		for _, c := range h.constant(f) {
			for i := range c.Faults {
				scenarios = append(scenarios, nearby(c, i)...)
			}
			scenarios = append(scenarios, alone(c)...)
		}
		if len(scenarios) > searched {
			return false
		}
		if _, t := h.first(scenarios, free); t != nil {
			h.form = f
			h.take("the seed", t)
			return true
		}
	}
	return false
}

// searched is how many scenarios are not too many to look for one.
const searched = 1500

// nearby are variants of a scenario with another time for a fault.
func nearby(s Scenario, fault int) []Scenario {
	if s.Faults[fault].At == nil {
		return nil
	}
	kind, _ := faults.Named(s.Faults[fault].Of[0])
	ttl := s.longestTTL()
	var scenarios []Scenario
	for _, shift := range []time.Duration{-1, 1, -2, 2, -5, 5, -10, 10, -20, 20, -50, 50} {
		at := max(*s.Faults[fault].At+shift*time.Millisecond, 0)
		scenarios = append(scenarios, edited(s, func(s *Scenario) { s.Faults[fault].At = &at }))
		if kind.OnClient && shift < 0 {
			scenarios = append(scenarios, edited(s, func(s *Scenario) {
				f := Fault{Of: []string{"lose-answer"}, On: s.Faults[fault].On, At: &at, For: s.Faults[fault].For}
				if kind.Instant {
					f.For = quantity.Span{Min: ttl / 2, Max: ttl / 2}
				}
				s.Faults[fault] = f
			}))
		}
	}
	return scenarios
}

// polish makes a scenario that is small already smaller and plain.
func (h *shrinker) polish() {
	for h.ctx.Err() == nil {
		before := h.best
		h.end()
		h.around()
		h.faults()
		h.clients()
		h.rounds()
		h.drop()
		h.members()
		h.pin()
		h.start()
		h.plain()
		h.one()
		h.replace()
		h.unsteady()
		if h.best == before {
			break
		}
	}
}

// edit is a changed copy of the best scenario.
func (h *shrinker) edit(edit func(*Scenario)) Scenario { return edited(h.best.scenario, edit) }

// unseed looks for delays with which the scenario needs its seed no longer: with
// all else drawn, or else with nothing drawn.
func (h *shrinker) unseed() {
	if h.form != seeded {
		return
	}
	for _, f := range []form{free, steady} {
		if _, t := h.first(h.constant(f), free); t != nil { // a steady one shows it with all seeds, or none
			h.form = f
			h.take("one delay", t)
			return
		}
	}
}

// unsteady looks for a scenario of which chance may have its part again.
func (h *shrinker) unsteady() {
	if h.form != steady {
		return
	}
	unsteady := h.edit(func(s *Scenario) { s.Cluster.Sim.Steady = false })
	scenarios := append([]Scenario{unsteady}, h.constant(free)...)
	if len(h.best.scenario.places()) < 20 {
		scenarios = append(scenarios, retimed(unsteady)...)
	}
	if _, t := h.first(scenarios, free); t != nil {
		h.form = free
		h.take("chance", t)
	}
}

// constant are variants of the best scenario with a single delay each.
func (h *shrinker) constant(f form) []Scenario {
	sim := h.best.scenario.Cluster.Sim
	middle := func(span quantity.Span) time.Duration { return rounded((span.Min+span.Max)/2, 1) }
	var scenarios []Scenario
	for _, d := range [][2]time.Duration{
		{middle(sim.Delay), middle(sim.Peers)}, {time.Millisecond, time.Millisecond}, {time.Millisecond, 100 * time.Microsecond},
		{100 * time.Microsecond, 100 * time.Microsecond}, {sim.Delay.Min, sim.Peers.Min}, {sim.Delay.Max, sim.Peers.Max}, {10 * time.Millisecond, time.Millisecond},
	} {
		scenarios = append(scenarios, h.edit(func(s *Scenario) {
			s.Cluster.Sim.Delay, s.Cluster.Sim.Peers = quantity.Span{Min: d[0], Max: d[0]}, quantity.Span{Min: d[1], Max: d[1]}
			s.Cluster.Sim.Slow, s.Cluster.Sim.SlowDelay = 0, quantity.Span{}
			s.Cluster.Sim.Steady = f == steady
		}))
	}
	return scenarios
}

// end lets the load end soon after what shows, and leaves out what nobody comes to.
func (h *shrinker) end() {
	shown := h.best.shown.Violation.To - h.best.load
	var scenarios []Scenario
	for _, after := range []time.Duration{10 * time.Millisecond, 200 * time.Millisecond, time.Second, 3 * time.Second} {
		at := max((shown + after).Truncate(10*time.Millisecond), time.Second)
		if at < h.best.scenario.Duration {
			scenarios = append(scenarios, h.edit(func(s *Scenario) { s.ending(at) }))
		}
	}
	for _, share := range []time.Duration{2, 4, 6, 7} {
		at := max((h.best.scenario.Duration * share / 8).Truncate(10*time.Millisecond), time.Second)
		if at < h.best.scenario.Duration {
			scenarios = append(scenarios, h.edit(func(s *Scenario) { s.ending(at) }))
		}
	}
	for h.try("the end", scenarios...) >= 0 {
		h.try("what nobody comes to", h.edit(func(s *Scenario) { s.reached(h.best.began) }))
		scenarios = slices.DeleteFunc(scenarios, func(s Scenario) bool { return s.Duration >= h.best.scenario.Duration })
		for i := range scenarios {
			at := scenarios[i].Duration
			scenarios[i] = h.edit(func(s *Scenario) { s.ending(at) })
		}
	}
	h.try("what nobody comes to", h.edit(func(s *Scenario) { s.reached(h.best.began) }))
}

// around keeps only what is going on around what shows, as little as will do.
func (h *shrinker) around() {
	v := &h.best.shown.Violation
	from, to := v.From-h.best.load, v.To-h.best.load
	var scenarios []Scenario
	for _, before := range []time.Duration{0, 500, 1000, 2000, 4000} {
		from := from - before*time.Millisecond
		rounds := h.edit(func(s *Scenario) { s.keepRounds(s.within(h.best, from, to), h.best.began) })
		both := edited(rounds, func(s *Scenario) { s.faultsWithin(from, to) })
		less := edited(both, func(s *Scenario) { s.keepClients(h.best.witness) })
		scenarios = append(scenarios, less, both, rounds)
	}
	h.try("what is around", scenarios...)
}

// workloads leaves out those to other subjects.
func (h *shrinker) workloads() {
	if len(h.best.scenario.Workloads) < 2 {
		return
	}
	minimize(h, "workloads", h.best.scenario.workloadSubjects(), func(s *Scenario, subjects []string) {
		var kept []string
		for i := range s.Workloads {
			if slices.Contains(subjects, s.Workloads[i].Subject) {
				kept = append(kept, s.slotsOf(i)...)
			}
		}
		s.keepClients(kept)
	})
}

// minimize leaves out what it can of items, of which a scenario keeps some.
func minimize[T any](h *shrinker, step string, items []T, keep func(*Scenario, []T)) {
	whole := h.best
	ddmin.Minimize(items, func(lists [][]T) int {
		var scenarios []Scenario
		for _, list := range lists {
			scenarios = append(scenarios, edited(whole.scenario, func(s *Scenario) { keep(s, list) }))
		}
		return h.try(step, scenarios...)
	})
}

func (h *shrinker) faults() {
	minimize(h, "faults", h.best.scenario.Faults, func(s *Scenario, kept []Fault) { s.Faults = slices.Clone(kept) })
}

func (h *shrinker) survivors() {
	minimize(h, "survivable", h.best.scenario.Survivable, func(s *Scenario, kept []string) { s.Survivable = slices.Clone(kept) })
}

// pin gives triggered faults their times.
func (h *shrinker) pin() {
	for i := range h.best.scenario.Faults {
		done := false
		s := h.edit(func(s *Scenario) { done = s.pinned(i, h.best) })
		if done {
			h.try("a fault's moment", append([]Scenario{s}, retimed(s)...)...)
		}
	}
}

// clients leaves out whole clients; of double barriers several have to go at once.
func (h *shrinker) clients() {
	minimize(h, "clients", h.best.scenario.slots(), (*Scenario).keepClients)
	if h.try("two clients", h.without(2)...) >= 0 {
		h.clients()
	}
}

// without are variants of the best scenario without one client, or two, if they
// are not too many.
func (h *shrinker) without(n int) []Scenario {
	slots := h.best.scenario.slots()
	if len(slots) > 12 {
		return nil
	}
	var scenarios []Scenario
	for i := range slots {
		for j := range i + 1 {
			if (j == i) != (n == 1) {
				continue
			}
			rest := slices.DeleteFunc(slices.Clone(slots), func(slot string) bool { return slot == slots[i] || slot == slots[j] })
			scenarios = append(scenarios, h.edit(func(s *Scenario) { s.keepClients(rest) }))
		}
	}
	return scenarios
}

// one takes one plain fault on a client in the place of several.
func (h *shrinker) one() {
	if len(h.best.scenario.Faults) < 2 {
		return
	}
	if h.try("one fault", alone(h.best.scenario)...) >= 0 {
		h.end()
	}
}

// alone are variants of a scenario with one plain fault on a client, at the time of
// one of those that it has.
func alone(s Scenario) []Scenario {
	var times []time.Duration
	for i := range s.Faults {
		if at := s.Faults[i].At; at != nil && !slices.Contains(times, *at) {
			times = append(times, *at)
		}
	}
	ttl := s.longestTTL()
	var scenarios []Scenario
	for _, kind := range []string{"cut-client", "stall-client", "lose-answer"} {
		for _, slot := range s.slots() {
			for _, at := range times {
				for _, length := range []time.Duration{2 * ttl, 4 * ttl} {
					scenarios = append(scenarios, edited(s, func(s *Scenario) {
						s.Faults = []Fault{{Of: []string{kind}, On: slot, At: &at, For: quantity.Span{Min: length, Max: length}}}
						s.Duration = max(s.Duration, at+length+time.Second)
					}))
				}
			}
		}
	}
	return scenarios
}

// replace leaves out a client or a fault whose part the others can play
// if they take another time for it.
func (h *shrinker) replace() {
	for h.ctx.Err() == nil {
		var less []Scenario
		for i := range h.best.scenario.Faults {
			less = append(less, h.edit(func(s *Scenario) { s.Faults = slices.Delete(s.Faults, i, i+1) }))
		}
		if h.best.size.Clients > 2 {
			less = append(less, h.without(1)...)
		}
		var scenarios []Scenario
		for i := range less {
			scenarios = append(scenarios, retimed(less[i])...)
		}
		if h.try("other times", scenarios...) < 0 {
			return
		}
		h.end()
	}
}

// retimed are variants of a scenario in which clients hold longer, one comes later
// than the others, and faults last longer or strike at other times.
func retimed(s Scenario) []Scenario {
	late := []string{""}
	for i := range s.Workloads {
		late = append(late, slices.Sorted(maps.Keys(s.Workloads[i].Rounds))...)
	}
	var scenarios []Scenario
	for _, hold := range []time.Duration{1, 2} {
		for _, client := range late {
			for _, shift := range []time.Duration{0, -100, 100, -500, 500} {
				scenarios = append(scenarios, edited(s, func(s *Scenario) {
					s.late(client)
					s.retime(hold, 1, shift*time.Millisecond)
				}))
			}
		}
		scenarios = append(scenarios, edited(s, func(s *Scenario) { s.retime(hold, 2, 0) }))
	}
	return scenarios
}

// rounds leaves out rounds, first so that those that are left begin when they did.
func (h *shrinker) rounds() {
	began := h.best.began
	minimize(h, "rounds", h.best.scenario.places(), func(s *Scenario, kept []place) { s.keepRounds(kept, began) })
	h.try("what nobody comes to", h.edit(func(s *Scenario) { s.reached(h.best.began) }))
}

// drop leaves out rounds and pauses, whatever becomes of what follows.
func (h *shrinker) drop() {
	minimize(h, "pauses", h.best.scenario.places(), func(s *Scenario, kept []place) { s.keepRounds(kept, nil) })
}

func (h *shrinker) members() {
	var scenarios []Scenario
	for _, n := range []int{1, 3} {
		if n < h.best.scenario.Cluster.Members {
			scenarios = append(scenarios, h.edit(func(s *Scenario) { s.Cluster.Members = n }))
		}
	}
	h.try("members", scenarios...)
}

// start lets everything begin sooner.
func (h *shrinker) start() {
	for h.ctx.Err() == nil {
		var least time.Duration
		note := func(d time.Duration) {
			if d > 0 && (least == 0 || d < least) {
				least = d
			}
		}
		s := &h.best.scenario
		for i := range s.Faults {
			if f := &s.Faults[i]; f.At != nil {
				note(*f.At)
			}
		}
		for _, p := range s.places() {
			if d := s.decision(p); p.line == 0 && len(d.Objects) == 0 {
				note(d.Think)
			}
		}
		var scenarios []Scenario
		for _, by := range []time.Duration{
			least, least.Truncate(500 * time.Millisecond), least.Truncate(100 * time.Millisecond), (least / 2).Truncate(500 * time.Millisecond),
			(least / 2).Truncate(10 * time.Millisecond), (least / 4).Truncate(10 * time.Millisecond),
		} {
			if by > 0 {
				scenarios = append(scenarios, h.edit(func(s *Scenario) { s.earlier(by) }))
			}
		}
		if h.try("the beginning", scenarios...) < 0 {
			return
		}
	}
}

// rounded is d to so many digits.
func rounded(d time.Duration, digits int) time.Duration {
	unit := time.Duration(1)
	for d/unit >= pow10(digits) {
		unit *= 10
	}
	return (d + unit/2) / unit * unit
}

func pow10(n int) time.Duration {
	p := time.Duration(1)
	for range n {
		p *= 10
	}
	return p
}
