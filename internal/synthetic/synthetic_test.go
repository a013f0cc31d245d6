package synthetic_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/etcd-holdfast/holdfast"
	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/internal/synthetic"
)

func judge(t *testing.T, o synthetic.Options) *holdfast.Judgement {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run")
	if err := synthetic.Directory(path, o); err != nil {
		t.Fatal(err)
	}
	j, err := holdfast.Judge(path, false)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// The service keeps every promise, and every promise is put to the test.
func TestSyntheticRunsHold(t *testing.T) {
	for seed := range uint64(5) {
		j := judge(t, synthetic.Options{Seed: seed})
		if result := j.Result(); result.Verdict != checker.Holds || len(result.Notes) > 0 {
			t.Errorf("seed %d: %s, %v", seed, result.Verdict, result.Notes)
		}
		for _, p := range j.Result().Properties {
			lease := p.Property == checker.Exclusion && !p.Fails(false)
			if p.Verdict != checker.Holds && !(p.Verdict == checker.Violated && lease) && p.Property != checker.Notice {
				t.Errorf("seed %d: %s of %s: %s: %s", seed, p.Property, p.Subject, p.Verdict, p.Sentence)
			}
		}
	}
}

// A planted double hold is found: two holds of the mutex prove it, and nothing
// fails the run but this and what follows from it, such as a write that was
// guarded by a key whose turn had not come.
func TestPlantedDoubleHoldIsFound(t *testing.T) {
	for seed := range uint64(5) {
		j := judge(t, synthetic.Options{Seed: seed, DoubleHold: true})
		if got := j.Result().Verdict; got != checker.Violated {
			t.Errorf("seed %d: %s", seed, got)
		}
		var failing []string
		for _, p := range j.Result().Properties {
			if p.Fails(false) {
				if name := p.Subject + " " + p.Property; name != "mutex fencing" {
					failing = append(failing, name)
				}
			}
			if p.Subject == "mutex" && p.Property == checker.Exclusion && len(p.Violations[0].Witness) != 2 {
				t.Errorf("seed %d: the witness is %v", seed, p.Violations[0].Witness)
			}
		}
		if want := []string{"mutex ownership", "mutex exclusion"}; !slices.Equal(failing, want) {
			t.Errorf("seed %d: it fails for %v, want %v", seed, failing, want)
		}
	}
}

// A run has what real ones have: every kind of line that reading must know.
func TestSyntheticRunsAreRealistic(t *testing.T) {
	h := judge(t, synthetic.Options{Operations: 20_000, Seed: 3}).Report.History
	if n := len(h.Operations); n < 20_000 || n > 20_500 {
		t.Errorf("%d operations", n)
	}
	kinds, outcomes, events := map[history.Kind]int{}, map[history.Outcome]int{}, map[history.EventKind]int{}
	for i := range h.Operations {
		kinds[h.Operations[i].Kind]++
		outcomes[h.Operations[i].Outcome]++
	}
	for i := range h.Events {
		events[h.Events[i].Kind]++
	}
	for _, k := range []history.Kind{
		history.Acquire, history.TryAcquire, history.Release, history.Campaign, history.Proclaim, history.Resign, history.Leader, history.Observe,
		history.Read, history.Write, history.FencedRead, history.FencedWrite, history.GuardedWrite, history.CloseSession,
	} {
		if kinds[k] == 0 {
			t.Errorf("no %s", k)
		}
	}
	for _, o := range []history.Outcome{history.Ok, history.Fail, history.Info, history.Pending} {
		if outcomes[o] == 0 {
			t.Errorf("no operation ended with %q", o)
		}
	}
	for _, e := range []history.EventKind{history.SessionOpened, history.Lost, history.Crashed, history.Observed, history.Leads, history.PhaseBegan} {
		if events[e] == 0 {
			t.Errorf("no event %s", e)
		}
	}
	log := h.Revisions
	if perOperation := float64(len(log.Changes)) / float64(len(h.Operations)); perOperation < 0.25 || perOperation > 0.6 {
		t.Errorf("%.2f changes an operation", perOperation)
	}
	if len(log.LeaseEnds) == 0 || len(log.Ticks) == 0 || len(log.Gaps) > 0 || len(h.Faults) == 0 {
		t.Errorf("%d lease ends, %d ticks, %d gaps, %d faults", len(log.LeaseEnds), len(log.Ticks), len(log.Gaps), len(h.Faults))
	}
}

func TestSameOptionsMakeTheSameBytes(t *testing.T) {
	a, b := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	for _, path := range []string{a, b} {
		if err := synthetic.Directory(path, synthetic.Options{Operations: 3000, Seed: 9}); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"history.jsonl", "revisions.jsonl", "faults.jsonl", "run.json", "scenario.yaml"} {
		one, err := os.ReadFile(filepath.Join(a, name))
		if err != nil {
			t.Fatal(err)
		}
		other, err := os.ReadFile(filepath.Join(b, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(one, other) {
			t.Errorf("%s differs", name)
		}
	}
	if err := synthetic.Directory(a, synthetic.Options{}); err == nil {
		t.Error("a directory that is there was overwritten")
	}
}
