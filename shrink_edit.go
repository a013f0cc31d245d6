package holdfast

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/faults"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// What can be left out of a scenario. The functions here change a copy, as edited
// makes it, and keep it whole: what is left means what it meant.

// keepClients leaves out all clients but those in the slots that are kept, numbers
// these anew, and leaves out the faults on others. A workload without clients goes
// with its observers.
func (s *Scenario) keepClients(kept []string) {
	slots, roles := make(map[string]string), make(map[string]map[string]string)
	var left []Workload
	next := 1
	for i := range s.Workloads {
		w := s.Workloads[i]
		old := s.slotsOf(i)
		clients := w.Clients
		w.Clients, w.Observers = 0, 0
		for place, slot := range old {
			if !slices.Contains(kept, slot) {
				continue
			}
			if place < clients {
				w.Clients++
			} else {
				w.Observers++
			}
		}
		if w.Clients == 0 {
			continue
		}
		renamed := make(map[string]string)
		place := 0
		for before, slot := range old {
			if !slices.Contains(kept, slot) {
				continue
			}
			slots[slot] = workloads.Slots(next+place, 1)[0]
			if before < 26 {
				renamed[string(rune('A'+before))] = string(rune('A' + place))
			}
			place++
		}
		next += place
		roles[w.Subject] = renamed
		if w.Rounds != nil {
			rounds := make(workloads.Rounds)
			for client, lines := range w.Rounds {
				slot, incarnation, replaced := strings.Cut(client, ".")
				if name, ok := slots[slot]; ok && replaced {
					rounds[name+"."+incarnation] = lines
				} else if ok {
					rounds[name] = lines
				}
			}
			w.Rounds = rounds
		}
		left = append(left, w)
	}
	s.Workloads = left
	clocks := make(map[string]float64)
	for slot, rate := range s.Cluster.Sim.Clocks {
		if name, ok := slots[slot]; ok {
			clocks[name] = rate
		}
	}
	s.Cluster.Sim.Clocks = clocks
	s.Faults = slices.DeleteFunc(s.Faults, func(f Fault) bool {
		if f.When != nil {
			return !slices.ContainsFunc(f.When.Subject, func(subject string) bool { _, ok := roles[subject]; return ok })
		}
		return f.On != "" && slots[f.On] == ""
	})
	for i := range s.Faults {
		f := &s.Faults[i]
		if f.On != "" {
			f.On = slots[f.On]
		}
		if f.When != nil && f.When.Client != "" && len(f.When.Subject) == 1 {
			when := *f.When
			if when.Client = roles[when.Subject[0]][when.Client]; when.Client == "" {
				f.Of = nil // refused
			}
			f.When = &when
		}
	}
	s.Expect.Damage = slices.DeleteFunc(slices.Clone(s.Expect.Damage), func(subject string) bool { return roles[subject] == nil })
	maps.DeleteFunc(s.Expect.Reproduces, func(subject string, _ []string) bool { _, ok := roles[subject]; return !ok })
}

// ending makes the load end sooner. Faults that would begin later are left out.
func (s *Scenario) ending(at time.Duration) {
	s.Duration = at
	s.Faults = slices.DeleteFunc(s.Faults, func(f Fault) bool { return f.At != nil && *f.At >= at })
}

// place is one line of a client's rounds.
type place struct {
	workload int
	client   string
	line     int
}

// places are all lines of all rounds, in a fixed order.
func (s *Scenario) places() []place {
	var all []place
	for i := range s.Workloads {
		for _, client := range slices.Sorted(maps.Keys(s.Workloads[i].Rounds)) {
			for line := range s.Workloads[i].Rounds[client] {
				all = append(all, place{i, client, line})
			}
		}
	}
	return all
}

// decision reads a line.
func (s *Scenario) decision(p place) workloads.Decision {
	d, err := workloads.ParseDecision(s.Workloads[p.workload].Rounds[p.client][p.line])
	if err != nil { // validated
		panic(err)
	}
	return d
}

func (s *Scenario) decide(p place, d workloads.Decision) {
	s.Workloads[p.workload].Rounds[p.client][p.line] = d.String()
}

// keepRounds leaves out all lines but those that are kept. With pauses, what is
// left out takes as long as it took, by when rounds have begun, so that what
// follows begins when it did.
func (s *Scenario) keepRounds(kept []place, began map[string][]time.Duration) {
	keeps := make(map[place]bool)
	for _, p := range kept {
		keeps[p] = true
	}
	for i := range s.Workloads {
		w := &s.Workloads[i]
		for client, lines := range w.Rounds {
			var left []string
			times := began[client]
			for line := range lines {
				p := place{i, client, line}
				if keeps[p] {
					left = append(left, lines[line])
				} else if line+1 < len(times) {
					left = append(left, workloads.Decision{Think: times[line+1] - times[line]}.String())
				}
			}
			if left = joined(left); len(left) == 0 {
				delete(w.Rounds, client)
			} else {
				w.Rounds[client] = left
			}
		}
	}
}

// within are the rounds that were under way in a run between two times since its
// load began, or began then.
func (s *Scenario) within(t *trial, from, to time.Duration) []place {
	return slices.DeleteFunc(s.places(), func(p place) bool {
		began := t.began[p.client]
		if p.line >= len(began) || began[p.line]-t.load > to {
			return true
		}
		return p.line+1 < len(began) && began[p.line+1]-t.load < from
	})
}

// faultsWithin leaves out those that are planned for other times.
func (s *Scenario) faultsWithin(from, to time.Duration) {
	s.Faults = slices.DeleteFunc(s.Faults, func(f Fault) bool {
		return f.At != nil && (*f.At > to || *f.At+f.For.Max < from)
	})
}

// joined makes one pause of several that follow one another, and leaves out those
// at the end.
func joined(lines []string) []string {
	var left []string
	var pause time.Duration
	for _, line := range lines {
		d, err := workloads.ParseDecision(line)
		if err == nil && len(d.Objects) == 0 {
			pause += d.Think
			continue
		}
		if pause > 0 {
			left = append(left, workloads.Decision{Think: pause}.String())
			pause = 0
		}
		left = append(left, line)
	}
	return left
}

// reached leaves out the rounds that nobody came to.
func (s *Scenario) reached(began map[string][]time.Duration) {
	for i := range s.Workloads {
		for client, lines := range s.Workloads[i].Rounds {
			if lines = joined(lines[:min(len(lines), len(began[client]))]); len(lines) == 0 {
				delete(s.Workloads[i].Rounds, client)
			} else {
				s.Workloads[i].Rounds[client] = lines
			}
		}
	}
}

// earlier lets everything begin sooner: faults, and clients that pause first. The
// load ends sooner, too.
func (s *Scenario) earlier(by time.Duration) {
	for i := range s.Faults {
		if f := &s.Faults[i]; f.At != nil {
			at := max(*f.At-by, 0)
			f.At = &at
		}
	}
	for _, p := range s.places() {
		if d := s.decision(p); p.line == 0 && len(d.Objects) == 0 {
			d.Think = max(d.Think-by, 0)
			s.decide(p, d)
		}
	}
	s.Duration = max(s.Duration-by, time.Second)
}

// latePause is by how much a client comes later than others.
const latePause = 100 * time.Millisecond

// late lets a client begin later than the others.
func (s *Scenario) late(client string) {
	for i := range s.Workloads {
		if lines := s.Workloads[i].Rounds[client]; len(lines) > 0 {
			pause := workloads.Decision{Think: latePause}.String()
			s.Workloads[i].Rounds[client] = joined(append([]string{pause}, lines...))
		}
	}
}

// retime makes holds and faults longer, by factors, and moves faults. The load
// ends later, by as much as that could take.
func (s *Scenario) retime(hold, length, shift time.Duration) {
	for _, p := range s.places() {
		if d := s.decision(p); len(d.Objects) > 0 {
			s.Duration += d.Hold * (hold - 1)
			d.Hold *= hold
			s.decide(p, d)
		}
	}
	for i := range s.Faults {
		f := &s.Faults[i]
		if f.At == nil {
			continue
		}
		at := max(*f.At+shift, 0)
		f.At = &at
		s.Duration += f.For.Max * (length - 1)
		f.For.Min, f.For.Max = f.For.Min*length, f.For.Max*length
	}
	s.Duration += max(shift, 0)
}

// pinned gives a triggered fault the time at which it struck in a run, and its
// victim.
func (s *Scenario) pinned(entry int, t *trial) bool {
	f := &s.Faults[entry]
	i := slices.IndexFunc(t.faults, func(f history.Fault) bool { return f.ID == int64(entry+1) })
	if f.When == nil || i < 0 || t.faults[i].Target == "" || len(f.Of) != 1 {
		return false
	}
	struck := &t.faults[i]
	kind, _ := faults.Named(f.Of[0])
	at := max(struck.From-t.load, 0)
	plain := Fault{Of: f.Of, At: &at, For: f.For, Choice: f.Choice, Chain: f.Chain}
	if !kind.Instant {
		length := max(struck.To-struck.From, time.Millisecond)
		plain.For.Min, plain.For.Max = length, length
	}
	if kind.OnClient {
		client, _, _ := strings.Cut(struck.Target, " ")
		plain.On, _, _ = strings.Cut(client, ".")
		if !kind.Draws {
			plain.Choice = nil
		}
	}
	*f = plain
	return true
}
