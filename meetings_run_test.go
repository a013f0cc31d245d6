package holdfast

import (
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
	long(t)
	const faults = `faults:
  - {every: 1500ms..3s, for: 500ms..1500ms, of: [isolate-leader]}
  - {every: 300ms..900ms, for: 300ms..2s, of: [cut-client, lose-answer, crash-client, stall-client]}
  - {every: 500ms..1s, of: [compact]}
`
	for seed := int64(1); seed <= 2; seed++ {
		s := meetingScenario(t, faults, "queue-checked", "priority-queue-checked", "barrier-checked", "double-barrier-checked")
		s.Seed = seed
		j := run1(t, t.Context(), s)
		for _, p := range j.Result().Properties {
			if p.Verdict != checker.Holds {
				t.Errorf("seed %d: %s of %s: %s: %s", seed, p.Property, p.Subject, p.Verdict, p.Sentence)
			}
		}
	}
}

// Scripts that show the known defects of etcd's recipes. The same scripts show
// nothing of the corrected ones.
func TestScriptsShowTheDefectsOfQueuesAndBarriers(t *testing.T) {
	long(t)
	// The one who waits is cut off while the history of what it watches is
	// compacted; another client's changes let time pass in the store.
	const compacted = `faults:
  - {when: {subject: SUBJECT, event: waiting, longer: 200ms}, fault: cut-client, for: 1500ms}
  - {every: 300ms..300ms, of: [compact]}
`
	for _, c := range []struct {
		subject, property, known string
		steps                    []string
		faults                   string
	}{
		{"queue", checker.Delivery, "queue-eats-neighbours", []string{"A enqueue jobs", "B dequeue job within 2s &", "sleep 1s", "A enqueue job", "B join", "A enqueue jobs"}, ""},
		{"queue", checker.Contract, "etcd#17198", []string{"A dequeue x within 8s &", "sleep 600ms", "B enqueue y", "B dequeue y", "sleep 3s", "B enqueue x", "A join"}, compacted},
		{"priority-queue", checker.Contract, "etcd#17198", []string{"A dequeue x within 8s &", "sleep 600ms", "B enqueue y 3", "B dequeue y", "sleep 3s", "B enqueue x 1", "A join"}, compacted},
		{"barrier", checker.Passage, "barrier-pass-while-blocked", []string{"B block x", "A pass x within 8s &", "sleep 600ms", "B block y", "B unblock y", "sleep 3s", "B unblock x", "A join"}, compacted},
		{"double-barrier", checker.Passage, "double-barrier-enters-alone", []string{"A enter x within 8s &", "sleep 600ms", "C session", "sleep 3s", "B enter x within 8s &", "A join", "A leave x within 8s &", "B join", "B leave x within 8s", "A join"}, compacted},
	} {
		for _, subject := range []string{c.subject, c.subject + "-checked"} {
			t.Run(c.known+" "+subject, func(t *testing.T) {
				text := "name: script\nduration: 15s\nclients: {count: 3, ttl: 4s}\nworkloads:\n  - subject: " + subject + "\n    script:\n"
				for _, step := range c.steps {
					text += "      - " + step + "\n"
				}
				s, err := ParseScenario("script", []byte(text+strings.ReplaceAll(c.faults, "SUBJECT", subject)))
				if err != nil {
					t.Fatal(err)
				}
				found := false
				for s.Seed = 1; s.Seed <= 3 && !found; s.Seed++ {
					j := run1(t, t.Context(), s)
					for _, p := range j.Result().Properties {
						found = found || p.Property == c.property && known(&p, c.known)
						if p.Fails(false) {
							t.Errorf("%s: %s", p.Property, p.Sentence)
						}
					}
					if subject != c.subject {
						break
					}
				}
				if found != (subject == c.subject) {
					t.Errorf("found: %t", found)
				}
			})
		}
	}
}
