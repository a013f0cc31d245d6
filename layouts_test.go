package holdfast

import (
	"errors"
	"strings"
	"testing"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// The layout of a caller's subject must be one of its primitive's.
func TestLayoutsBelongToPrimitives(t *testing.T) {
	queue := func(layout history.Layout) workloads.Subject {
		return workloads.Subject{Name: "mine", Layout: layout, NewQueue: func(*workloads.Session, string) workloads.Queue { return nil }}
	}
	barrier := func(layout history.Layout) workloads.Subject {
		return workloads.Subject{Name: "mine", Layout: layout, NewDoubleBarrier: func(*workloads.Session, string, int) workloads.DoubleBarrier { return nil }}
	}
	both := queue(history.ItemKeys)
	both.NewDoubleBarrier = barrier("").NewDoubleBarrier
	for _, c := range []struct {
		name    string
		subject workloads.Subject
		wrong   string
	}{
		{"none", queue(history.NoLayout), ""},
		{"a queue's", queue(history.ItemKeys), ""},
		{"a double barrier's", barrier(history.MemberKeys), ""},
		{"another's", queue(history.MemberKeys), `"member-keys" is not of a queue`},
		{"a barrier's", barrier(history.BarrierKeys), `"barrier-keys" is not of a double-barrier`},
		{"a lock's", queue(history.OldestKey), `"oldest-key" is of locks and elections`},
		{"two constructors", both, "has 2 of the constructors"},
	} {
		s := NewScenario("layouts")
		s.Subjects = []workloads.Subject{c.subject}
		s.Workloads = []Workload{NewWorkload("mine")}
		s.Complete()
		err := s.Validate()
		var wrong *ScenarioError
		if c.wrong == "" && err != nil || c.wrong != "" && (!errors.As(err, &wrong) || !strings.Contains(err.Error(), c.wrong)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.wrong)
		}
	}
}
