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
