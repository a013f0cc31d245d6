package holdfast

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/etcd-holdfast/holdfast/faults"
	"github.com/etcd-holdfast/holdfast/workloads"
)

type planned = faults.Planned

func triggerOn(subject, event string, longer time.Duration) *faults.Trigger {
	return &faults.Trigger{Subject: faults.Names{subject}, Event: event, Longer: longer}
}

// decided returns the objects that a client's first rounds ask for.
func (j *Judgement) decided(client string, rounds int) []string {
	first := 1
	slot, _ := strconv.Atoi(strings.TrimPrefix(strings.Split(client, ".")[0], "c"))
	for i := range j.Scenario.Workloads {
		w := &j.Scenario.Workloads[i]
		if next := first + w.Clients + w.Observers; slot >= next {
			first = next
			continue
		}
		subject, _ := j.Scenario.subject(w.Subject)
		decide := workloads.Decisions(j.Info.Seed, client, &w.Traffic)
		var objects []string
		for range rounds {
			d := decide()
			if subject.NewElection != nil {
				d.Objects = d.Objects[:1]
			}
			for _, o := range d.Objects {
				objects = append(objects, strconv.Itoa(o))
			}
		}
		return objects
	}
	return nil
}

// text is v as scenarios spell it.
func text(t *testing.T, v any) string {
	t.Helper()
	content, err := yaml.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
