package holdfast

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/reports"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// What is found at the first contention is found in one run, and what is right
// raises nothing. (The whole zoo is a command: holdfast zoo. CI runs it, all of it.)
func TestZooFindsWhatIsPlanted(t *testing.T) {
	names := []string{"get-then-put", "newest-leads", "slot-lock"}
	var told []Standing
	findings, err := Zoo(t.Context(), ZooOptions{Names: names, Out: t.TempDir(), Note: func(line string) { t.Log(line) }, Status: func(now Standing) { told = append(told, now) }})
	if err != nil {
		t.Fatal(err)
	}
	if len(findings) != len(names) {
		t.Errorf("%d findings for %d names", len(findings), len(names))
	}
	last := Standing{Done: len(names), Planned: len(names)}
	for _, f := range findings {
		count(&last.Found, f.Planted)
	}
	if first, now := told[0], told[len(told)-1]; first.Done != 0 || first.Planned != len(names) || len(first.Running) == 0 || !reflect.DeepEqual(now, last) {
		t.Errorf("it told %+v first and %+v last, want %+v", first, now, last)
	}
	for _, f := range findings {
		if !f.Good() || f.Runs == 0 || len(f.Directories) != f.Runs {
			t.Errorf("%+v", f)
		}
		if f.Planted && (f.Seconds <= 0 || f.Sentence == "" || len(f.By) == 0) {
			t.Errorf("found, but not how: %+v", f)
		}
	}
}

// Every planted bug says which properties it breaks, and has a twin that is a
// control, and no two subjects have one name.
func TestZooIsComplete(t *testing.T) {
	var properties, names []string
	for _, p := range checker.PropertyNames() {
		if !p.Reported {
			properties = append(properties, p.Name)
		}
	}
	planted, controls := ZooSubjects()
	broken := make(map[string]bool)
	for _, c := range controls {
		names = append(names, c.Name)
	}
	for _, s := range planted {
		if len(s.Breaks) == 0 || s.Summary == "" || s.Origin != history.Broken {
			t.Errorf("%s: breaks %v, %q, origin %s", s.Name, s.Breaks, s.Summary, s.Origin)
		}
		for _, p := range s.Breaks {
			broken[p] = true
			if !slices.Contains(properties, p) {
				t.Errorf("%s breaks %s, which no run can fail", s.Name, p)
			}
		}
		if !slices.Contains(names, s.Twin) {
			t.Errorf("%s has the twin %q, which is no control", s.Name, s.Twin)
		}
	}
	for _, s := range planted {
		if slices.Contains(names, s.Name) {
			t.Errorf("two subjects are called %s", s.Name)
		}
		names = append(names, s.Name)
	}
	for _, p := range properties {
		// Order follows from ownership in every subject that names its keys, and leases
		// are broken by servers, not by subjects.
		if !broken[p] && p != checker.Order && p != checker.Lease {
			t.Errorf("no planted bug is there to break %s", p)
		}
	}
}

// The scenario knows of a subject nothing but its name and its primitive.
func TestTortureIsTheSameForAll(t *testing.T) {
	planted, controls := ZooSubjects()
	subjects := controls
	for _, s := range planted {
		subjects = append(subjects, s.Subject)
	}
	type torture struct {
		workload Workload
		faults   []Fault
	}
	first := make(map[history.Primitive]torture)
	for _, subject := range subjects {
		s := TortureScenario(subject).completed()
		if err := s.Validate(); err != nil {
			t.Fatal(err)
		}
		now := torture{s.Workloads[0], s.Faults}
		now.workload.Subject = ""
		for _, f := range now.faults {
			if f.When != nil {
				f.When.Subject = nil
			}
		}
		one, ok := first[subject.Primitive()]
		if !ok {
			first[subject.Primitive()] = now
			continue
		}
		if text(t, one.workload) != text(t, now.workload) || text(t, one.faults) != text(t, now.faults) {
			t.Errorf("%s is tortured in its own way", subject.Name)
		}
	}
}

// A user's own subject goes in as it is, and one that comes with holdfast by
// its name.
func TestTortureScenarioOfAUsersSubject(t *testing.T) {
	own := workloads.Subject{Name: "own", NewLock: func(*workloads.Session, string) workloads.Lock { return nil }}
	s := TortureScenario(own, workloads.Subject{Name: "mutex"}).completed()
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	if len(s.Subjects) != 1 || s.Subjects[0].Name != "own" || len(s.Workloads) != 2 {
		t.Errorf("subjects %v, %d workloads", s.Subjects, len(s.Workloads))
	}
}

// What counts as found is a violation of a property that the bug breaks, with
// the subject to blame; with a control everything counts that fails a run.
func TestZooCountsOnlyWhatTheBugBreaks(t *testing.T) {
	violated := func(subject, property string, blame checker.Blame, known string) checker.Property {
		return checker.Property{Subject: subject, Property: property, Verdict: checker.Violated, Violations: []checker.Violation{
			{Blame: blame, Known: known, Sentence: "late", From: time.Second, To: 3 * time.Second},
			{Blame: blame, Known: known, Sentence: "early", From: time.Second, To: 2 * time.Second},
		}}
	}
	for _, c := range []struct {
		name     string
		planted  bool
		property checker.Property
		good     bool
	}{
		{"found", true, violated("s", checker.Exclusion, checker.BlameSubject, ""), true},
		{"another property", true, violated("s", checker.Progress, checker.BlameSubject, ""), false},
		{"another subject", true, violated("other", checker.Exclusion, checker.BlameSubject, ""), false},
		{"the lease's fault", true, violated("s", checker.Exclusion, checker.BlameLease, ""), false},
		{"the server's fault", true, violated("s", checker.Exclusion, checker.BlameServer, ""), false},
		{"known", true, violated("s", checker.Exclusion, checker.BlameSubject, "etcd#1"), false},
		{"nothing", true, checker.Property{Subject: "s", Property: checker.Exclusion, Verdict: checker.Holds}, false},
		{"control: alarm", false, violated("s", checker.Progress, checker.BlameSubject, ""), false},
		{"control: alarm, server", false, violated("s", checker.Progress, checker.BlameServer, ""), false},
		{"control: lease", false, violated("s", checker.Exclusion, checker.BlameLease, ""), true},
		{"control: known", false, violated("s", checker.Ownership, checker.BlameLibrary, "etcd#1"), true},
	} {
		f := Finding{Subject: "s", Planted: c.planted, Expected: []string{checker.Exclusion}}
		for range 2 {
			f.note(&Judgement{Directory: "d", Report: &reports.Report{
				History: &history.History{End: 10 * time.Second},
				Result:  &checker.Result{Properties: []checker.Property{c.property}},
			}})
		}
		if f.Good() != c.good || f.Runs != 2 {
			t.Errorf("%s: %+v", c.name, f)
		}
		if c.name == "found" && (f.Seconds != 2 || f.Sentence != "early" || f.Found != 2) {
			t.Errorf("%s: not the first to end: %+v", c.name, f)
		}
	}
}

func TestZooRefusesAnUnknownName(t *testing.T) {
	_, err := Zoo(t.Context(), ZooOptions{Names: []string{"slot-lock", "nosuch"}})
	var selection *SelectionError
	if !errors.As(err, &selection) || selection.Name != "nosuch" || len(selection.Have) < 25 {
		t.Errorf("got %v", err)
	}
}

// What a zoo that is interrupted has found is found, and all else is open.
func TestAnInterruptedZooKeepsWhatItFound(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs a scenario")
	}
	ctx, cancel := context.WithCancel(t.Context())
	findings, err := Zoo(ctx, ZooOptions{Names: []string{"get-then-put", "mutex"}, Runs: 2, Out: t.TempDir(), Note: func(line string) {
		if strings.HasPrefix(line, "found: get-then-put") {
			cancel()
		}
	}})
	if !errors.Is(err, ErrInterrupted) || len(findings) != 2 {
		t.Fatalf("%+v, %v", findings, err)
	}
	for _, f := range findings {
		if f.Runs != 1 || !f.Open || !f.Good() {
			t.Errorf("%+v", f)
		}
	}
}
