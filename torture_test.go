package holdfast

import (
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/faults"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// Peace and rest are refused where they would mean nothing.
func TestPeaceAndRestAreForStatesThatLast(t *testing.T) {
	for _, c := range []struct {
		fault Fault
		want  string
	}{
		{Fault{Of: []string{"cut-client"}, Rest: span(1, 2)}, "faults[0].rest: it belongs to a fault with when"},
		{Fault{Of: []string{"cut-client"}, Peace: -time.Second}, "faults[0].peace: -1s is negative"},
		{Fault{Of: []string{"cut-client"}, Rest: span(2, 1), When: &faults.Trigger{Subject: faults.Names{"mutex"}, Event: faults.Waiting}}, "faults[0].rest: "},
		{Fault{Of: []string{"cut-client"}, Peace: time.Second, When: &faults.Trigger{Subject: faults.Names{"mutex"}, Event: "answer Txn"}}, "peace and rest need a state that lasts"},
	} {
		s := TortureScenario(workloads.Subject{Name: "mutex"})
		s.Faults = []Fault{c.fault}
		s = s.completed()
		if err := s.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.fault, err, c.want)
		}
	}
}

// A moment that cannot come would make every run vacuous: who holds nothing is
// not waited for to hold, and who does not wait, not to wait. A subject that
// comes with holdfast is known by its name.
func TestTortureWaitsForWhatCanHappen(t *testing.T) {
	for _, subject := range AllSubjects() {
		s := TortureScenario(workloads.Subject{Name: subject.Name})
		triggered := 0
		for _, f := range s.Faults {
			if f.When == nil {
				continue
			}
			triggered++
			holds, waits := true, true
			switch subject.Primitive() {
			case history.Queue, history.PriorityQueue, history.Barrier, history.DoubleBarrier:
				holds = false
			case history.Bank, history.Register:
				holds, waits = false, false
			}
			if f.When.Event == faults.Holding && !holds || f.When.Event == faults.Waiting && !waits {
				t.Errorf("%s, a %s: a fault waits for %s", subject.Name, subject.Primitive(), f.When.Event)
			}
		}
		if triggered == 0 {
			t.Errorf("%s: none of its clients meets a fault at a moment", subject.Name)
		}
	}
}
