package holdfast

import (
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/faults"
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
