package holdfast

import (
	"slices"
	"time"

	"github.com/etcd-holdfast/holdfast/faults"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/quantity"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// plain makes what is left as plain as it can be: one after another, what is not
// needed gets its zero or its default, and durations few digits.
func (h *shrinker) plain() {
	h.try("what is drawn no more", h.edit(undrawn))
	h.try("clocks", h.edit(func(s *Scenario) { s.Cluster.Sim.Clocks, s.Cluster.Sim.LeaseClock = nil, 1 }),
		h.edit(func(s *Scenario) { s.Cluster.Sim.Clocks = nil }), h.edit(func(s *Scenario) { s.Cluster.Sim.LeaseClock = 1 }))
	h.parts()
	h.objects()
	h.choices()
	h.durations()
}

// undrawn takes out of the traffic what only draws would use.
func undrawn(s *Scenario) {
	s.Clients.Count = s.Workloads[0].Clients
	for i := range s.Workloads {
		t := &s.Workloads[i].Traffic
		if t.Rounds == nil {
			continue
		}
		zero := quantity.Span{}
		t.Hold, t.LongHold, t.Think = zero, zero, zero
		t.Long, t.Impatient, t.Try, t.Several, t.Readers, t.Proclaim, t.KeepSession = 0, 0, 0, 0, 0, 0, 0
		t.Patience.Min, t.Impatience.Min = t.Patience.Max, t.Impatience.Max
	}
}

// parts leaves out parts of rounds: first of all, then of each.
func (h *shrinker) parts() {
	simpler := []func(*workloads.Decision){
		func(d *workloads.Decision) {
			*d = workloads.Decision{Objects: d.Objects[:1], Mode: history.WriteMode, Hold: d.Hold, Keep: d.Keep}
		},
		func(d *workloads.Decision) { d.Draw, d.Choice = 0, 0 },
		func(d *workloads.Decision) { d.Patience = 0 },
		func(d *workloads.Decision) { d.Impatience, d.Cancel = 0, false },
		func(d *workloads.Decision) { d.Cancel = false },
		func(d *workloads.Decision) { d.Guard = false },
		func(d *workloads.Decision) { d.Proclaims = 0 },
		func(d *workloads.Decision) { d.Resume = false },
		func(d *workloads.Decision) { d.Try = false },
		func(d *workloads.Decision) { d.Think = 0 },
		func(d *workloads.Decision) { d.Hold = 0 },
		func(d *workloads.Decision) { d.Keep = false },
		func(d *workloads.Decision) { d.Mode = history.WriteMode },
		func(d *workloads.Decision) { d.Objects = d.Objects[:1] },
		func(d *workloads.Decision) { d.Objects = d.Objects[len(d.Objects)-1:] },
	}
	for _, simplify := range simpler {
		var rounds []place
		for _, p := range h.best.scenario.places() {
			if len(h.best.scenario.decision(p).Objects) > 0 {
				rounds = append(rounds, p)
			}
		}
		apply := func(places ...place) Scenario {
			return h.edit(func(s *Scenario) {
				for _, p := range places {
					d := s.decision(p)
					simplify(&d)
					s.decide(p, d)
				}
			})
		}
		if h.try("all rounds", apply(rounds...)) >= 0 {
			continue
		}
		for _, p := range rounds {
			h.try("a round", apply(p))
		}
	}
}

// last leaves out the last rounds, if that makes the run shorter. That is left for
// the end, as what they do helps to find what can go.
func (h *shrinker) last() {
	s := h.edit(func(s *Scenario) {
		for i := range s.Workloads {
			s.Workloads[i].LastRounds, s.Workloads[i].NoLastRound = 0, true
		}
	})
	if _, t := h.first([]Scenario{s}, h.form); t != nil && t.size.Operations < h.best.size.Operations {
		h.take("the last round", t)
	}
}

// objects makes the rounds be about as few objects as they can.
func (h *shrinker) objects() {
	used := make(map[int][]int)
	s := &h.best.scenario
	for _, p := range s.places() {
		used[p.workload] = append(used[p.workload], s.decision(p).Objects...)
	}
	onto := func(number func(workload, object int) int) Scenario {
		return h.edit(func(s *Scenario) {
			for i := range s.Workloads {
				s.Workloads[i].Objects = 1
			}
			for _, p := range s.places() {
				d := s.decision(p)
				for i, object := range d.Objects {
					d.Objects[i] = number(p.workload, object)
					s.Workloads[p.workload].Objects = max(s.Workloads[p.workload].Objects, d.Objects[i]+1)
				}
				d.Objects = slices.Compact(d.Objects)
				s.decide(p, d)
			}
		})
	}
	for i := range used {
		slices.Sort(used[i])
		used[i] = slices.Compact(used[i])
	}
	h.try("objects", onto(func(int, int) int { return 0 }), onto(func(w, object int) int { return slices.Index(used[w], object) }))
}

// choices makes the numbers small by which faults choose, and leaves out chains
// that hold nothing together.
func (h *shrinker) choices() {
	h.try("chains", h.edit(func(s *Scenario) {
		for i := range s.Faults {
			s.Faults[i].Chain = 0
		}
	}))
	for i := range h.best.scenario.Faults {
		f := &h.best.scenario.Faults[i]
		kind, _ := faults.Named(f.Of[0])
		if f.Choice == nil || !kind.Draws || *f.Choice < 10 {
			continue
		}
		var scenarios []Scenario
		for n := range uint64(10) {
			scenarios = append(scenarios, h.edit(func(s *Scenario) { s.Faults[i].Choice = &n }))
		}
		h.try("a choice", scenarios...)
	}
}

// knob is one duration of a scenario. It is set in a copy.
type knob struct {
	step  string
	value time.Duration
	least time.Duration
	unit  time.Duration
	set   func(*Scenario, time.Duration)
}

// durations gives durations fewer digits, and makes them shorter.
func (h *shrinker) durations() {
	h.roundAll()
	for i := 0; h.ctx.Err() == nil; i++ {
		all := h.best.scenario.knobs()
		if i >= len(all) {
			return
		}
		k := all[i]
		var scenarios []Scenario
		for _, value := range plainer(k.value, k.least, k.unit) {
			scenarios = append(scenarios, h.edit(func(s *Scenario) { k.set(s, value) }))
		}
		h.try(k.step, scenarios...)
	}
}

// roundAll gives all durations few digits at once.
func (h *shrinker) roundAll() {
	var scenarios []Scenario
	for _, digits := range []int{1, 2, 3} {
		scenarios = append(scenarios, h.edit(func(s *Scenario) {
			for i := range s.knobs() {
				k := s.knobs()[i]
				if value := rounded(k.value, digits); value >= k.least && value%k.unit == 0 {
					k.set(s, value)
				}
			}
		}))
	}
	h.try("all durations", scenarios...)
}

// knobs are all durations that are worth making plain.
func (s *Scenario) knobs() []knob {
	quiet := time.Second
	for i := range s.Workloads {
		if len(s.Faults)+len(s.Survivable) > 0 {
			quiet = max(quiet, s.Workloads[i].TTL+5*time.Second)
		}
	}
	all := []knob{
		{"duration", s.Duration, time.Second, 1, func(s *Scenario, d time.Duration) { s.Duration = d }},
		{"quiet", s.Quiet, quiet, 1, func(s *Scenario, d time.Duration) { s.Quiet = d }},
		{"delay", s.Cluster.Sim.Delay.Max, time.Millisecond, 1, func(s *Scenario, d time.Duration) { s.Cluster.Sim.Delay = quantity.Span{Min: d, Max: d} }},
		{"peers", s.Cluster.Sim.Peers.Max, time.Millisecond, 1, func(s *Scenario, d time.Duration) { s.Cluster.Sim.Peers = quantity.Span{Min: d, Max: d} }},
	}
	if s.Cluster.Sim.Delay.Min != s.Cluster.Sim.Delay.Max {
		all = all[:2]
	}
	for i := range s.Faults {
		f := &s.Faults[i]
		if f.At != nil {
			all = append(all, knob{"a fault's time", *f.At, 0, 1, func(s *Scenario, d time.Duration) { s.Faults[i].At = &d }})
		}
		if f.For.Max > 0 && f.For.Min == f.For.Max {
			all = append(all, knob{"a fault's length", f.For.Max, time.Millisecond, 1, func(s *Scenario, d time.Duration) { s.Faults[i].For = quantity.Span{Min: d, Max: d} }})
		}
	}
	for i := range s.Workloads {
		if s.Workloads[i].Rounds == nil {
			continue
		}
		all = append(all, knob{"patience", s.Workloads[i].Patience.Max, time.Second, 1, func(s *Scenario, d time.Duration) { s.Workloads[i].Patience = quantity.Span{Min: d, Max: d} }},
			knob{"time-to-live", s.Workloads[i].TTL, time.Second, time.Second, func(s *Scenario, d time.Duration) { s.Workloads[i].TTL = d }})
	}
	for _, p := range s.places() {
		d := s.decision(p)
		for _, part := range []struct {
			name  string
			value func(*workloads.Decision) *time.Duration
		}{
			{"a hold", func(d *workloads.Decision) *time.Duration { return &d.Hold }},
			{"a pause", func(d *workloads.Decision) *time.Duration { return &d.Think }},
			{"patience", func(d *workloads.Decision) *time.Duration { return &d.Patience }},
			{"impatience", func(d *workloads.Decision) *time.Duration { return &d.Impatience }},
		} {
			if value := *part.value(&d); value > 0 {
				all = append(all, knob{part.name, value, time.Millisecond, 1, func(s *Scenario, length time.Duration) {
					d := s.decision(p)
					*part.value(&d) = length
					s.decide(p, d)
				}})
			}
		}
	}
	return all
}

// plainer are durations that are plainer than d, the best first: of fewer digits,
// or of no more and shorter. Fractions of a millisecond are the least plain.
func plainer(d, least, unit time.Duration) []time.Duration {
	var all []time.Duration
	add := func(value time.Duration) {
		value = value / unit * unit
		if value >= least && !slices.Contains(all, value) && (digits(value) < digits(d) || digits(value) == digits(d) && value < d) {
			all = append(all, value)
		}
	}
	add(least)
	for _, part := range []time.Duration{8, 4, 2} {
		add(rounded(d/part, 1))
	}
	for n := 1; n <= 3; n++ {
		step := time.Duration(1)
		for d/step >= pow10(n) {
			step *= 10
		}
		add(d / step * step)
		add((d + step - 1) / step * step)
	}
	return all
}

// digits is how many digits a duration has before the zeros at its end, and more
// if it is not whole milliseconds.
func digits(d time.Duration) int {
	n := 0
	if d%time.Millisecond != 0 {
		n = 20
	}
	for d > 0 && d%10 == 0 {
		d /= 10
	}
	for ; d > 0; d /= 10 {
		n++
	}
	return n
}
