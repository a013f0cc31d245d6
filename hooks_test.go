package holdfast

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/faults"
	"github.com/etcd-holdfast/holdfast/quantity"
)

// A command that takes too long is killed with all that it started, is not injected, and
// is healed all the same.
func TestHooksThatTakeTooLong(t *testing.T) {
	t.Parallel()
	s := NewScenario("hooks")
	s.Cluster.Members = 1
	s.Duration = 6 * time.Second
	s.Workloads = []Workload{NewWorkload("mutex")}
	healed := filepath.Join(t.TempDir(), "healed")
	alive := filepath.Join(t.TempDir(), "alive")
	s.Hooks = map[string]faults.Hook{
		"slow": {
			Inject: []string{"sh", "-c", "(trap '' TERM HUP; while :; do sleep 0.1; echo >>" + alive + "; done) & echo began; sleep 60"},
			Prove:  []string{"true"}, Heal: []string{"sh", "-c", "echo $HOLDFAST_STEP $HOLDFAST_FAULT_ID $HOLDFAST_RUN >" + healed}, Timeout: 4 * time.Second, // also of heal, which a busy machine starts slowly
		},
		"sick": {Inject: []string{"true"}, Prove: []string{"sh", "-c", "echo it is harmed"}, Heal: []string{"sh", "-c", "echo cannot >&2; exit 3"}, Member: "leader"},
	}
	at, later := 100*time.Millisecond, 1500*time.Millisecond
	span := quantity.Span{Min: at, Max: at}
	s.Faults = []Fault{{Of: []string{"hook/slow"}, At: &at, For: span}, {Of: []string{"hook/sick"}, At: &later, For: span}}
	var story strings.Builder
	j, err := Run(t.Context(), s, RunOptions{Out: t.TempDir(), Progress: func(line string) { story.WriteString(line + "\n") }})
	if err != nil {
		t.Fatal(err)
	}
	all := j.Report.History.Faults
	if len(all) != 2 {
		t.Fatalf("%+v", all)
	}
	slow, sick := all[0], all[1]
	if slow.Kind != "hook/slow" {
		slow, sick = sick, slow
	}
	if slow.Verified || !slow.Uninjected || slow.To == 0 || slow.Error != "" || !strings.Contains(slow.Evidence, "not injected") || !strings.Contains(slow.Evidence, "killed, with all that it had started") || !strings.Contains(slow.Evidence, "began") {
		t.Errorf("%+v", slow)
	}
	if text, err := os.ReadFile(healed); err != nil || string(text) != "heal 1 hooks\n" {
		t.Errorf("healed by %q, %v", text, err)
	}
	if !sick.Verified || sick.Uninjected || sick.To != 0 || sick.Evidence != "it is harmed" || sick.Target != "m1 (leader)" || !strings.Contains(sick.Error, "it said: cannot") {
		t.Errorf("%+v", sick)
	}
	if len(j.Info.Warnings) == 0 || !strings.Contains(strings.Join(j.Info.Warnings, "\n"), "cannot") {
		t.Errorf("warnings %q", j.Info.Warnings)
	}
	for _, want := range []string{"not injected: hook/slow m1", "NOT healed: hook/sick m1 (leader): sh: exit status 3; it said: cannot\n"} {
		if !strings.Contains(story.String(), want) {
			t.Errorf("the story does not say %q:\n%s", want, &story)
		}
	}
	if strings.Contains(story.String(), "  healed: hook/sick") {
		t.Errorf("the story says that it was healed:\n%s", &story)
	}
	for _, p := range j.Report.Result.Properties {
		if p.Property == checker.Progress && (p.Verdict != checker.Unknown || !strings.Contains(p.Sentence, "hook/sick of m1 (leader)")) {
			t.Errorf("%s: %s", p.Verdict, p.Sentence)
		}
	}
	if j.Report.Result.Verdict != checker.Unknown {
		t.Errorf("the verdict is %s", j.Report.Result.Verdict)
	}
	before, err := os.ReadFile(alive)
	if err != nil {
		t.Fatal(err)
	}
	pause(t.Context(), 300*time.Millisecond)
	if after, _ := os.ReadFile(alive); !bytes.Equal(before, after) {
		t.Error("what the hook had started is still there")
	}
}

// A run that is interrupted heals its hooks.
func TestHooksOfARunThatIsInterrupted(t *testing.T) {
	t.Parallel()
	s := NewScenario("hooks")
	s.Cluster.Members = 1
	s.Duration = time.Minute
	s.Workloads = []Workload{NewWorkload("mutex")}
	healed := filepath.Join(t.TempDir(), "healed")
	s.Hooks = map[string]faults.Hook{"long": {Inject: []string{"true"}, Prove: []string{"true"}, Heal: []string{"touch", healed}}}
	at, span := 10*time.Millisecond, quantity.Span{Min: 40 * time.Second, Max: 40 * time.Second}
	s.Faults = []Fault{{Of: []string{"hook/long"}, At: &at, For: span}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	j, err := Run(ctx, s, RunOptions{Out: t.TempDir(), Progress: func(line string) {
		if strings.Contains(line, "hook/long m1") {
			cancel()
		}
	}})
	if err != nil || j.Info.Ended != EndedInterrupted {
		t.Fatalf("%v", err)
	}
	if _, err := os.Stat(healed); err != nil {
		t.Error(err)
	}
	if f := j.Report.History.Faults; len(f) != 1 || !f[0].Verified || f[0].To == 0 {
		t.Errorf("%+v", f)
	}
}

// Commands that hang are killed when the run is interrupted, whatever time they have
// left, and what they did is healed.
func TestHooksThatHangWhenTheRunIsInterrupted(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"inject", "prove"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			s := NewScenario("hooks")
			s.Cluster.Members = 1
			s.Duration = time.Minute
			s.Workloads = []Workload{NewWorkload("mutex")}
			healed, hangs := filepath.Join(t.TempDir(), "healed"), filepath.Join(t.TempDir(), "hangs")
			hook := faults.Hook{Inject: []string{"true"}, Prove: []string{"true"}, Heal: []string{"touch", healed}, Timeout: time.Hour}
			hang := []string{"sh", "-c", "touch " + hangs + "; sleep 3600 & wait"}
			if step == "inject" {
				hook.Inject = hang
			} else {
				hook.Prove = hang
			}
			s.Hooks = map[string]faults.Hook{"stuck": hook}
			at := 10 * time.Millisecond
			s.Faults = []Fault{{Of: []string{"hook/stuck"}, At: &at, For: quantity.Span{Min: at, Max: at}}}
			ctx, cancel := context.WithCancel(t.Context())
			var waiting sync.WaitGroup
			defer waiting.Wait()
			defer cancel()
			waiting.Go(func() {
				for ctx.Err() == nil {
					if _, err := os.Stat(hangs); err == nil {
						cancel()
					}
					pause(ctx, 10*time.Millisecond)
				}
			})
			var story strings.Builder
			j, err := Run(ctx, s, RunOptions{Out: t.TempDir(), Progress: func(line string) { story.WriteString(line + "\n") }})
			if err != nil || j.Info.Ended != EndedInterrupted {
				t.Fatalf("%v", err)
			}
			if _, err := os.Stat(healed); err != nil {
				t.Error(err)
			}
			f := j.Report.History.Faults
			if len(f) != 1 || f[0].Verified || f[0].To == 0 || f[0].Uninjected != (step == "inject") {
				t.Errorf("%+v", f)
			}
			if want := "it was killed, with all that it had started: the run was interrupted"; !strings.Contains(story.String(), want) {
				t.Errorf("the story does not say %q:\n%s", want, &story)
			}
		})
	}
}

// What has too little time of its own is no interruption.
func TestADeadlineIsNoInterruption(t *testing.T) {
	late, done := context.WithTimeout(t.Context(), 0)
	defer done()
	interrupted, rest, release := interruption(late)
	defer release()
	<-rest.Done()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	other, rest, releaseOther := interruption(cancelled)
	defer releaseOther()
	<-rest.Done()
	if !errors.Is(context.Cause(other), errInterrupted) || interrupted.Err() != nil {
		t.Errorf("%v, %v", context.Cause(other), interrupted.Err())
	}
}

func TestHooksThatCannotBe(t *testing.T) {
	const base = "name: a\nworkloads: [{subject: mutex}]\nhooks: {h: {inject: [sh], prove: [sh]}}\n"
	for text, want := range map[string]string{
		base + "faults: [{fault: hook/other}]\n":                                                          `the scenario has no hook "other"; there are h`,
		base + "survivable: [hook/h]\n":                                                                   "hooks whose downs says",
		base + "cluster: {kind: sim}\nfaults: [{fault: hook/h}]\n":                                        "take real time",
		"name: a\nworkloads: [{subject: mutex}]\nhooks: {h: {}}\n":                                        "hooks.h.inject: there is no command",
		"name: a\nworkloads: [{subject: mutex}]\nhooks: {h: {inject: [no-such-program], prove: [sh]}}\n":  "no-such-program cannot be run",
		"name: a\nworkloads: [{subject: mutex}]\nhooks: {h: {inject: [sh], prove: [sh], timeout: -1s}}\n": "hooks.h.timeout",
		"name: a\nworkloads: [{subject: mutex}]\nhooks: {h: {inject: [sh], proof: [sh]}}\n":               "there is no such field",
		base + "missing: perhaps\n":                                                                       `"perhaps" is not "skip"`,
		base + "missing: skip\nfaults: [{fault: hook/other}]\n":                                           `no hook "other"`,
	} {
		if _, err := ParseScenario("a.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
