package reports

import (
	"github.com/etcd-holdfast/holdfast/history"
)

// events adds what is no operation.
func (e *explorer) events() {
	h := e.history
	e.head.End, e.head.Total = micros(max(h.End, 1000)), len(h.Operations)
	for i := range h.Faults[:min(len(h.Faults), maxFaultLines)] {
		if f := &h.Faults[i]; injected(f) {
			from, to := faultSpan(h, f)
			fault := exploredFault{f.ID, micros(from), micros(to), faultLabel(f), label(f.Evidence, 120), f.Verified, nil}
			for _, party := range parties(f.Target) {
				if e.index.clients[party] {
					fault.Clients = append(fault.Clients, e.client(party))
				}
			}
			e.head.Faults = append(e.head.Faults, fault)
		}
	}
	for _, m := range memberRecords(h) {
		member := exploredMember{Name: label(m.name, 20)}
		for _, state := range m.states[:min(len(m.states), crowded)] {
			member.States = append(member.States, exploredState{micros(state.from), micros(state.to), label(state.state, 20)})
		}
		for _, end := range m.ends[:min(len(m.ends), crowded)] {
			member.Ends = append(member.Ends, exploredMark{At: micros(end.Time), Text: label(endTitle(end), 240)})
		}
		e.head.Members = append(e.head.Members, member)
	}
	for i := range h.Events {
		event := &h.Events[i]
		mark := exploredMark{At: micros(event.Time)}
		switch event.Kind {
		case history.PhaseBegan:
			mark.Text = label(event.Detail, 20)
			e.head.Phases = append(e.head.Phases, mark)
		case history.Lost, history.Crashed:
			if mark.Client = e.client(event.Client); event.Kind == history.Crashed {
				e.head.Crashes = append(e.head.Crashes, mark)
			} else if len(e.head.Told) < maxChosen {
				mark.Text = label(lostTitle(event), 120)
				e.head.Told = append(e.head.Told, mark)
			}
		}
	}
}

// violations adds those of which the page tells.
func (e *explorer) violations() {
	witness := map[int64]bool{}
	for _, g := range e.groups[:min(len(e.groups), maxSections)] {
		for _, v := range g.Violations[:min(len(g.Violations), g.full())] {
			from := min(max(v.From, 0), e.history.End)
			e.head.Violations = append(e.head.Violations, exploredViolation{
				micros(from), micros(min(max(v.To, from), e.history.End)), e.placeOf(concerned(e.history, e.index, g.Subject, v)), label(title(g.Subject, g.Property), 80),
			})
			for _, id := range v.Witness[:min(len(v.Witness), maxWitness)] {
				if !witness[id] {
					witness[id] = true
					e.head.Witnesses = append(e.head.Witnesses, id)
				}
			}
		}
	}
}
