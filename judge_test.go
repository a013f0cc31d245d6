package holdfast

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/internal/synthetic"
)

// TestAHistoryIsJudgedAsItsDirectory: a scenario judges a history in memory as
// Judge does the run directory that has it.
func TestAHistoryIsJudgedAsItsDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run")
	if err := synthetic.Directory(path, synthetic.Options{Operations: 500, DoubleHold: true}); err != nil {
		t.Fatal(err)
	}
	judgement, err := Judge(path, true)
	if err != nil {
		t.Fatal(err)
	}
	l, err := load(path)
	if err != nil {
		t.Fatal(err)
	}
	want := judgement.Result()
	if want.Verdict != checker.Violated {
		t.Fatalf("the planted hold was not found: %s", want.Verdict)
	}
	if got := l.scenario.judge(l.history, checker.Options{Strict: true}); !reflect.DeepEqual(got, want) {
		t.Errorf("the history is judged\n%+v\nand the directory\n%+v", got, want)
	}
	got := l.scenario.judge(l.history, checker.Options{Strict: true, CutShort: true, Unconfirmed: true})
	if got.Exit != want.Exit || len(got.Mechanisms()) != len(want.Mechanisms()) || len(got.Notes) == len(want.Notes) {
		t.Errorf("without porcupine, and cut short: %+v", got)
	}
}

// TestTheCommandThatNeedsNoDirectory: a built-in scenario of which nothing was changed
// is repeated by its name; another only by its file.
func TestTheCommandThatNeedsNoDirectory(t *testing.T) {
	s, err := BuiltinScenario("upstream/mutex-lost-answer")
	if err != nil {
		t.Fatal(err)
	}
	s.Seed = 42
	for _, test := range []struct {
		change  func(*Scenario)
		command string
	}{
		{func(*Scenario) {}, "holdfast run upstream/mutex-lost-answer --seed 42"},
		{func(s *Scenario) { s.Quiet++ }, ""},
		{func(s *Scenario) { s.Name = "mutex" }, ""},
	} {
		changed := s
		test.change(&changed)
		text, err := changed.YAML()
		if err != nil {
			t.Fatal(err)
		}
		l := &loaded{info: Info{Seed: 42}, scenario: changed, yaml: string(text)}
		if got := anywhere(l); got != test.command {
			t.Errorf("%q, and not %q", got, test.command)
		}
	}
}
