package holdfast

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// The page says what the code does.
func TestFaultSupportIsWrittenDown(t *testing.T) {
	var want bytes.Buffer
	if err := WriteFaultSupport(&want); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("docs/faults.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Error("docs/faults.md is not what the code says; go run ./cmd/holdfast list faults --markdown > docs/faults.md")
	}
}

func TestFaultSupport(t *testing.T) {
	table := make(map[string]map[string]Availability)
	for _, s := range FaultSupport() {
		table[s.Fault] = s.On
	}
	for _, test := range []struct {
		fault, kind string
		works       bool
		note        string
	}{
		{"isolate-leader", containers, true, ""},
		{"isolate-leader", externalKind, false, "a cluster of kind external is reached from outside"},
		{"delay-packets", containers, true, "a kernel with netem"},
		{"delay-packets", processes, false, "it has no members whose packets can be delayed"},
		{"full-disk", processes, true, "root, and `disk` in cluster"},
		{"compact", externalKind, true, "`allow: [compact]` in cluster"},
		{"compact", embeddedKind, true, ""},
		{"pause-client", simulated, true, ""},
		{"pause-client", embeddedKind, true, "clients that are processes, or programs"},
	} {
		got := table[test.fault][test.kind]
		if got.Works != test.works || !strings.Contains(got.Note, test.note) || test.note == "" && got.Note != "" {
			t.Errorf("%s on %s: %+v", test.fault, test.kind, got)
		}
	}
}
