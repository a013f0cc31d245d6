package holdfast

import (
	"bufio"
	"bytes"
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/quantity"
	"github.com/etcd-holdfast/holdfast/reports"
)

// Tests of whole runs are parallel where a run has few clients: it waits more than it
// computes, has a directory and ports of its own, and how many go on at a time is the
// Makefile's RUNS. Those of many subjects or programs at once, which demand that nothing
// shows, or that rare things do, have the process to themselves: beside others their
// sessions end for want of a processor. So have those that set its environment.

// long skips a test that runs whole scenarios when only short ones are wanted.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it runs whole scenarios")
	}
}

func run1(t *testing.T, ctx context.Context, s Scenario) *Judgement {
	t.Helper()
	var story []string
	j, err := Run(ctx, s, RunOptions{Out: t.TempDir(), Progress: func(line string) { story = append(story, line) }})
	if err != nil {
		t.Fatalf("%v\n%s", err, strings.Join(story, "\n"))
	}
	t.Cleanup(func() {
		if t.Failed() {
			var table bytes.Buffer
			if err := reports.Table(j.Report, &table); err != nil {
				t.Error(err)
			}
			t.Logf("seed %d, to repeat: %s\n%s\n%s", s.Seed, j.Report.Command, strings.Join(story, "\n"), table.String())
		}
	})
	return j
}

func property(t *testing.T, j *Judgement, subject, name string) *checker.Property {
	t.Helper()
	for i := range j.Result().Properties {
		if p := &j.Result().Properties[i]; p.Subject == subject && p.Property == name {
			return p
		}
	}
	t.Fatalf("%s of %s was not judged", name, subject)
	return nil
}

func known(p *checker.Property, issue string) bool {
	return slices.ContainsFunc(p.Violations, func(v checker.Violation) bool { return v.Known == issue })
}

// The main job. Which defects one run shows is up to the interleaving; that
// nothing unexplained shows, and that the corrected subjects keep their word,
// must be so in every run.
func TestQuickFindsTheKnownDefectsAndNothingElse(t *testing.T) {
	long(t)
	campaign, rwmutex, lease := false, false, false
	for seed := int64(1); seed <= 4 && !(campaign && rwmutex && lease); seed++ {
		s, err := BuiltinScenario("quick")
		if err != nil {
			t.Fatal(err)
		}
		s.Seed = seed
		j := run1(t, t.Context(), s)
		if j.Result().Exit != checker.ExitHolds {
			t.Errorf("seed %d: exit %d", seed, j.Result().Exit)
		}
		campaign = campaign || known(property(t, j, "election", checker.Ownership), "etcd#19597")
		rwmutex = rwmutex || known(property(t, j, "rwmutex", checker.Ownership), "etcd#16221")
		for _, v := range property(t, j, "mutex", checker.Exclusion).Violations {
			lease = lease || v.Blame == checker.BlameLease
		}
		for _, subject := range []string{"election-checked", "rwmutex-checked", "mutex", "locker"} {
			if p := property(t, j, subject, checker.Ownership); p.Verdict != checker.Holds {
				t.Errorf("seed %d: ownership of %s: %s: %s", seed, subject, p.Verdict, p.Sentence)
			}
		}
		for _, w := range s.Workloads {
			if p := property(t, j, w.Subject, checker.Fencing); p.Verdict != checker.Holds {
				t.Errorf("seed %d: fencing of %s: %s: %s", seed, w.Subject, p.Verdict, p.Sentence)
			}
		}
		checkEvidence(t, j)
	}
	if !campaign || !rwmutex || !lease {
		t.Errorf("found etcd#19597: %t, etcd#16221: %t, mutex overlap by lease: %t", campaign, rwmutex, lease)
	}
}

// checkEvidence demands that faults had effects that were seen.
func checkEvidence(t *testing.T, j *Judgement) {
	t.Helper()
	verified := make(map[string]bool)
	for _, f := range j.Report.History.Faults {
		if f.Verified {
			verified[f.Kind] = true
			if f.Evidence == "" || f.To <= f.From && f.From != 0 {
				t.Errorf("fault without evidence or end: %+v", f)
			}
		}
		if f.Error != "" {
			t.Errorf("fault %s %s: %s", f.Kind, f.Target, f.Error)
		}
	}
	if len(verified) < 4 {
		t.Errorf("only these faults were seen to have an effect: %v", verified)
	}
}

// Without faults stock etcd must raise nothing at all.
func TestWithoutFaultsEverythingHolds(t *testing.T) {
	long(t)
	s, err := BuiltinScenario("calm")
	if err != nil {
		t.Fatal(err)
	}
	s.Duration = 4 * time.Second
	for seed := int64(1); seed <= 2; seed++ {
		s.Seed = seed
		for _, p := range run1(t, t.Context(), s).Result().Properties {
			if p.Verdict != checker.Holds {
				t.Errorf("seed %d: %s of %s: %s: %s", seed, p.Property, p.Subject, p.Verdict, p.Sentence)
			}
		}
	}
}

// Every planted bug must be found, by the property that it breaks.
func TestPlantedBugsAreFound(t *testing.T) {
	t.Parallel()
	long(t)
	waiting := func(subject string) Fault {
		return Fault{Of: []string{"cut-client"}, When: triggerOn(subject, "waiting", 50*time.Millisecond), Times: 4, For: quantity.Span{Min: 2500 * time.Millisecond, Max: 3 * time.Second}}
	}
	holding := func(subject string, faults ...string) Fault {
		return Fault{Of: faults, When: triggerOn(subject, "holding", 30*time.Millisecond), Times: 4, For: quantity.Span{Min: 2500 * time.Millisecond, Max: 3 * time.Second}}
	}
	for _, c := range []struct {
		subject, property string
		change            func(*Workload)
		faults            []Fault
	}{
		{subject: "no-lease-check", property: checker.Ownership, change: func(w *Workload) {
			w.Objects, w.Clients = 1, 5
			w.Hold = quantity.Span{Min: 200 * time.Millisecond, Max: 800 * time.Millisecond}
		}, faults: []Fault{waiting("no-lease-check")}},
		{subject: "unlock-by-anyone", property: checker.Exclusion, change: func(w *Workload) { w.Impatient = 0.3 }},
		{subject: "two-writers", property: checker.Exclusion, change: func(w *Workload) { w.Readers = 0.3 }},
		{subject: "reader-beside-writer", property: checker.Exclusion, change: func(w *Workload) { w.Readers = 0.5 }},
		{subject: "split-brain-election", property: checker.Exclusion, change: func(*Workload) {}},
		{subject: "stale-token", property: checker.Fencing, change: func(w *Workload) {
			w.Objects, w.OnLoss, w.Long = 1, "ignore", 0.2
		}, faults: []Fault{holding("stale-token", "cut-client")}},
		{subject: "no-lease", property: checker.Progress, change: func(w *Workload) { w.Objects = 1 }, faults: []Fault{holding("no-lease", "crash-client")}},
		{subject: "short-ttl", property: checker.Exclusion, change: func(w *Workload) { w.Long = 0.2 }},
	} {
		t.Run(c.subject, func(t *testing.T) {
			t.Parallel()
			var p *checker.Property
			for seed := int64(1); seed <= 3; seed++ {
				s := NewScenario("planted")
				s.Seed, s.Duration, s.Quiet = seed, 7*time.Second, 6*time.Second
				w := NewWorkload(c.subject)
				c.change(&w)
				s.Workloads, s.Faults = []Workload{w}, c.faults
				j := run1(t, t.Context(), s)
				if p = property(t, j, c.subject, c.property); p.Fails(false) {
					if j.Result().Exit != checker.ExitViolated {
						t.Errorf("exit %d", j.Result().Exit)
					}
					if p.Violations[0].Blame != checker.BlameSubject || len(p.Violations[0].Witness) == 0 {
						t.Errorf("%+v", p.Violations[0])
					}
					return
				}
			}
			t.Errorf("not found: %s: %s", p.Verdict, p.Sentence)
		})
	}
}

// A run that is interrupted heals, judges what there is, and says so.
func TestAnInterruptedRunIsJudged(t *testing.T) {
	t.Parallel()
	s := NewScenario("interrupted")
	s.Workloads = []Workload{NewWorkload("mutex")}
	s.Faults = []Fault{{Of: []string{"isolate-leader"}, Every: quantity.Span{Min: time.Second, Max: time.Second}, For: quantity.Span{Min: time.Hour, Max: time.Hour}}}
	s.Duration = time.Hour
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	j, err := Run(ctx, s, RunOptions{Out: t.TempDir(), Progress: func(line string) {
		if strings.Contains(line, "isolate-leader") {
			interrupt()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if j.Info.Ended != EndedInterrupted || !strings.Contains(j.Info.Ended, "cut short") {
		t.Errorf("ended %q", j.Info.Ended)
	}
	if faults := j.Report.History.Faults; len(faults) == 0 || faults[0].To == 0 {
		t.Errorf("not healed: %+v", faults)
	}
	if r := j.Result(); r.Verdict != checker.Unknown || r.Exit != checker.ExitUnknown {
		t.Errorf("verdict %s, exit %d: %+v", r.Verdict, r.Exit, r)
	}
	page, err := os.ReadFile(filepath.Join(j.Directory, ReportFile))
	if err != nil || !bytes.Contains(page, []byte("cut short")) {
		t.Errorf("the report does not say that the run was cut short (%v)", err)
	}
}

// Whenever the process is killed, what it leaves can be judged, says that it
// was cut short, gives the same verdict every time, and no false alarm.
func TestAKilledRunIsJudged(t *testing.T) {
	t.Parallel()
	long(t)
	binary := filepath.Join(t.TempDir(), "holdfast")
	if out, err := exec.Command("go", "build", "-o", binary, "./cmd/holdfast").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, lines := range []int{1, 300, 1500} {
		out := t.TempDir()
		cmd := exec.Command(binary, "run", "quick", "--seed", "5", "--out", out)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		directory := filepath.Join(out, "latest")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		for countLines(filepath.Join(directory, HistoryFile)) < lines && ctx.Err() == nil {
			pause(ctx, 5*time.Millisecond)
		}
		cancel()
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed: that is its error
		first := judgedBytes(t, directory)
		if !bytes.Equal(first, judgedBytes(t, directory)) {
			t.Errorf("killed after %d lines: two verdicts", lines)
		}
		j, err := Judge(directory, false)
		if err != nil {
			t.Fatal(err)
		}
		if j.Info.Ended != EndedCut || len(j.Result().Notes) == 0 {
			t.Errorf("killed after %d lines: ended %q, notes %v", lines, j.Info.Ended, j.Result().Notes)
		}
		if j.Result().Exit == checker.ExitViolated {
			t.Errorf("killed after %d lines: false alarm: %s", lines, first)
		}
	}
}

func countLines(file string) int {
	f, err := os.Open(file)
	if err != nil {
		return 0
	}
	defer f.Close()
	lines := 0
	for s := bufio.NewScanner(f); s.Scan(); lines++ {
	}
	return lines
}

func judgedBytes(t *testing.T, directory string) []byte {
	t.Helper()
	j, err := Judge(directory, false)
	if err != nil {
		t.Fatal(err)
	}
	content, err := reports.JSON(j.Report)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// The directory alone gives the verdict that the run gave, and the scenario in
// it is the run's.
func TestTheDirectoryIsEnough(t *testing.T) {
	t.Parallel()
	s := NewScenario("small")
	s.Seed, s.Duration = 3, 2*time.Second
	s.Workloads = []Workload{NewWorkload("mutex"), NewWorkload("rwmutex"), NewWorkload("election")}
	s.Faults = []Fault{{Of: []string{"revoke-lease"}, Every: quantity.Span{Min: 300 * time.Millisecond, Max: 500 * time.Millisecond}}}
	j := run1(t, t.Context(), s)
	written, err := os.ReadFile(filepath.Join(j.Directory, VerdictFile))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(written, judgedBytes(t, j.Directory)) {
		t.Error("the directory gives another verdict than the run")
	}
	text, err := os.ReadFile(filepath.Join(j.Directory, ScenarioFile))
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseScenario(ScenarioFile, text)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := s.Plan(), again.Plan(); len(a) == 0 || !slices.EqualFunc(a, b, func(x, y planned) bool { return x.String() == y.String() && x.Choice == y.Choice }) {
		t.Error("the scenario in the directory plans other faults")
	}
	if h := j.Report.History; !h.Complete() || !h.Revisions.Covers(h.Revisions.Start, h.Revisions.Through) {
		t.Errorf("complete: %t, gaps: %v", h.Complete(), h.Revisions.Gaps)
	}
	checkDecisions(t, j)
}

// checkDecisions demands that what each client of the mutex asked for, in
// order, is what its decisions say.
func checkDecisions(t *testing.T, j *Judgement) {
	t.Helper()
	acquires := make(map[string][]string)
	for i := range j.Report.History.Operations {
		op := &j.Report.History.Operations[i]
		if healed, _ := j.Report.History.Phase(history.PhaseHealed); op.Kind.Acquires() && op.Call < healed {
			acquires[op.Client] = append(acquires[op.Client], op.Object)
		}
	}
	if len(acquires) < 12 {
		t.Errorf("only these clients asked for anything: %v", acquires)
	}
	for client, asked := range acquires {
		if wanted := j.decided(client, len(asked)); !subsequence(asked, wanted) {
			t.Errorf("%s asked for %v, its decisions are %v", client, asked, wanted)
		}
	}
}

// subsequence is true if asked is decided with some left out: a round whose
// first acquire failed does not ask for its second object.
func subsequence(asked, decided []string) bool {
	for _, d := range decided {
		if len(asked) > 0 && asked[0] == d {
			asked = asked[1:]
		}
	}
	return len(asked) == 0
}

// Nothing but the run directory stays: no port and no file elsewhere.
// (Goroutines are TestMain's.)
func TestNothingIsLeftBehind(t *testing.T) {
	out, temporary := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", temporary)
	s := NewScenario("tidy")
	s.Duration = time.Second
	s.Workloads = []Workload{NewWorkload("mutex")}
	j, err := Run(t.Context(), s, RunOptions{Out: out})
	if err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(temporary)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range left {
		t.Errorf("left in the directory for temporary files: %s", entry.Name())
	}
	var files []string
	entries, err := os.ReadDir(j.Directory)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		files = append(files, entry.Name())
	}
	want := []string{FaultsFile, HistoryFile, JUnitFile, "members", MetricsFile, ReportFile, RevisionsFile, InfoFile, ScenarioFile, SummaryFile, VerdictFile}
	if !slices.Equal(files, want) {
		t.Errorf("the run directory has %v, want %v", files, want)
	}
}

// A run whose directory cannot be made says so and starts nothing.
func TestAnUnusableOutputDirectoryIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s := NewScenario("nowhere")
	s.Workloads = []Workload{NewWorkload("mutex")}
	if _, err := Run(t.Context(), s, RunOptions{Out: file}); err == nil || !strings.Contains(err.Error(), url.PathEscape("file")) {
		t.Errorf("got %v", err)
	}
}
