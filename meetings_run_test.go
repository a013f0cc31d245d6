package holdfast

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
)

// meetingScenario has a workload for each of some subjects.
func meetingScenario(t *testing.T, faults string, subjects ...string) Scenario {
	t.Helper()
	var text strings.Builder
	text.WriteString("name: meetings\nduration: 8s\nclients: {count: 4, ttl: 1s}\nworkloads:\n")
	for _, s := range subjects {
		text.WriteString("  - {subject: " + s + "}\n")
	}
	text.WriteString(faults)
	s, err := ParseScenario("meetings", []byte(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Without faults etcd's queues and barriers keep their word, and every promise
// is put to the test.
func TestQueuesAndBarriersWithoutFaultsHold(t *testing.T) {
	long(t)
	s := meetingScenario(t, "", "queue", "queue-checked", "priority-queue", "priority-queue-checked", "barrier", "barrier-checked", "double-barrier", "double-barrier-checked")
	s.Seed, s.Duration = 1, 4*time.Second
	j := run1(t, t.Context(), s)
	for _, p := range j.Result().Properties {
		if p.Verdict != checker.Holds {
			t.Errorf("%s of %s: %s: %s", p.Property, p.Subject, p.Verdict, p.Sentence)
		}
	}
	for _, subject := range []string{"queue", "priority-queue"} {
		if n := property(t, j, subject, checker.Delivery).Figures["delivered"]; n < 10 {
			t.Errorf("%s gave out only %v items", subject, n)
		}
	}
}

// The corrected ones keep it under faults, and nobody waits for ever.
func TestCorrectedQueuesAndBarriersHoldUnderFaults(t *testing.T) {
	t.Parallel()
	long(t)
	const faults = `faults:
  - {every: 1500ms..3s, for: 500ms..1500ms, of: [isolate-leader]}
  - {every: 300ms..900ms, for: 300ms..2s, of: [cut-client, lose-answer, crash-client, stall-client]}
  - {every: 500ms..1s, of: [compact]}
`
	for seed := int64(1); seed <= 2; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			s := meetingScenario(t, faults, "queue-checked", "priority-queue-checked", "barrier-checked", "double-barrier-checked")
			s.Seed = seed
			j := run1(t, t.Context(), s)
			for _, p := range j.Result().Properties {
				if p.Verdict != checker.Holds {
					t.Errorf("%s of %s: %s: %s", p.Property, p.Subject, p.Verdict, p.Sentence)
				}
			}
		})
	}
}
