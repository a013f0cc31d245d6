package holdfast

import (
	"fmt"
	"slices"
	"strings"

	"github.com/etcd-holdfast/holdfast/faults"
)

// triggeredMistakes judges an entry of faults with when.
func (s *Scenario) triggeredMistakes(field string, f Fault, c faults.Capabilities, wrong complain) {
	if f.Every.Max != 0 {
		wrong(field+".every", "a fault is either timed by every or triggered by when, not both")
	}
	if f.Times < 1 || f.Times > 1000 {
		wrong(field+".times", "%d is not between 1 and 1000", f.Times)
	}
	if f.When.Nth < 1 {
		wrong(field+".when.nth", "%d is less than 1, which is the first time", f.When.Nth)
	}
	event := eventMistakes(field+".when.event", f.When.Event, c, wrong)
	if err := f.Rest.Validate(); err != nil {
		wrong(field+".rest", "%v", err)
	}
	if (f.Rest.Max > 0 || f.Peace > 0) && event != (faults.Event{}) && !event.Lasts() {
		wrong(field, "peace and rest need a state that lasts, %s or %s; %s happens at an instant", faults.Waiting, faults.Holding, event)
	}
	if f.When.Longer < 0 {
		wrong(field+".when.longer", "%v is negative", f.When.Longer)
	} else if f.When.Longer > 0 && event != (faults.Event{}) && !event.Lasts() {
		wrong(field+".when.longer", "only %s and %s last; %s happens at an instant", faults.Waiting, faults.Holding, event)
	}
	for _, instant := range []struct{ field, event string }{{field + ".when.after", f.When.After}, {field + ".until", f.Until}} {
		if instant.event == "" {
			continue
		}
		if eventMistakes(instant.field, instant.event, c, wrong).Lasts() {
			wrong(instant.field, "%s is a state; here can only be what happens at an instant", instant.event)
		}
	}
	if f.Until != "" && !lasts(f.Of) {
		wrong(field+".until", "there is nothing to heal: %s takes no time", strings.Join(f.Of, ", "))
	}
	if len(f.When.Subject) == 0 {
		wrong(field+".when.subject", "it names no subject; these have a workload: %s", strings.Join(s.workloadSubjects(), ", "))
	}
	for i, subject := range f.When.Subject {
		at := field + ".when.subject"
		if len(f.When.Subject) > 1 {
			at += fmt.Sprintf("[%d]", i)
		}
		w := slices.IndexFunc(s.Workloads, func(w Workload) bool { return w.Subject == subject })
		switch {
		case w < 0:
			wrong(at, "%q has no workload in this scenario; these have: %s", subject, strings.Join(s.workloadSubjects(), ", "))
		case slices.Contains(f.When.Subject[:i], subject):
			wrong(at, "%q is named twice", subject)
		default:
			s.roleMistakes(field, f.When.Client, &s.Workloads[w], wrong)
		}
	}
}

// roleMistakes judges a role of a workload's clients.
func (s *Scenario) roleMistakes(field, role string, w *Workload, wrong complain) {
	if role == "" {
		return
	}
	clients := min(w.Clients+w.Observers, faults.Roles)
	if i, ok := faults.Role(role); (!ok || i >= clients) && clients > 0 {
		wrong(field+".when.client", "%q is no client of %s: its %d clients are A to %c", role, w.Subject, clients, 'A'+clients-1)
	}
}

// eventMistakes judges an event and returns it, zero if it is none.
func eventMistakes(field, text string, c faults.Capabilities, wrong complain) faults.Event {
	event, err := faults.ParseEvent(text)
	if err != nil {
		wrong(field, "%v", err)
	} else if err := event.Unsupported(c); err != nil {
		wrong(field, "%s: %v", event, err)
	}
	return event
}

func (s *Scenario) workloadSubjects() []string {
	var subjects []string
	for _, w := range s.Workloads {
		subjects = append(subjects, w.Subject)
	}
	return subjects
}
