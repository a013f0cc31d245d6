package main

import (
	"strings"
	"testing"

	"github.com/etcd-holdfast/holdfast"
)

// TestShrunkScenariosHaveNamesOfTheirOwn names what differs only far behind.
func TestShrunkScenariosHaveNamesOfTheirOwn(t *testing.T) {
	name := func(subject, mechanism string) string {
		s := holdfast.Scenario{Workloads: []holdfast.Workload{holdfast.NewWorkload(subject)}}
		return fileOf(&holdfast.Shrunk{Scenario: s, Mechanism: mechanism})
	}
	if got, want := name("no-lease-check", "mutex ownership subject acquire: lease ended (etcd#1)"), "shrunk-no-lease-check-mutex-ownership-subject-acquire-lease-ended-etcd-1.yaml"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	const long = "double-barrier linearizable library enter: no order of the calls keeps the rules of a double-barrier "
	one, other := name("double-barrier", long+"(double-barrier-enters-alone)"), name("double-barrier", long+"(double-barrier-late-sign)")
	if one == other {
		t.Errorf("both are %s", one)
	}
	if prefix := "shrunk-double-barrier-linearizable-library-enter-no-order"; !strings.HasPrefix(one, prefix) || len(one) != len("shrunk-.yaml")+longestName {
		t.Errorf("%s has %d letters", one, len(one))
	}
}
