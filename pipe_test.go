package holdfast

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// need skips a test where a tool is missing that CI has.
func need(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err == nil {
			continue
		}
		if os.Getenv("HOLDFAST_REQUIRE") == "1" {
			t.Fatalf("%s is missing, and HOLDFAST_REQUIRE=1 says that it may not be", tool)
		}
		t.Skipf("%s is missing", tool)
	}
}

// programScenario runs programs side by side, by their names.
func programScenario(t *testing.T, duration time.Duration, programs map[string]string) Scenario {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes half a minute")
	}
	s := NewScenario("programs")
	s.Duration, s.Quiet, s.Seed = duration, 15*time.Second, 1
	s.Clients.Count, s.Clients.TTL = 2, 2*time.Second
	s.Expect.DeadlineGrace = 10 * time.Second // the machine may be slow
	for name, command := range programs {
		w := NewWorkload(name)
		w.Pipe, w.Objects = command, 1
		w.Hold, w.Long = span(50, 300), 0
		w.Impatient, w.Impatience = 0.2, span(300, 600)
		s.Workloads = append(s.Workloads, w)
	}
	return s
}

func runPrograms(t *testing.T, s Scenario) map[string]map[string]checker.Property {
	t.Helper()
	judgement, err := Run(t.Context(), s, RunOptions{Out: t.ArtifactDir()})
	var pipe *PipeError
	if errors.As(err, &pipe) {
		t.Fatal(err)
	}
	if judgement == nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Error(err)
	}
	t.Log(judgement.Directory)
	found := make(map[string]map[string]checker.Property)
	for _, p := range judgement.Result().Properties {
		if found[p.Subject] == nil {
			found[p.Subject] = make(map[string]checker.Property)
		}
		found[p.Subject][p.Property] = p
	}
	return found
}

const (
	python    = "exec python3 examples/pipe-python/"
	brokenOne = "exec python3 workloads/pipe/testdata/broken.py "
)

// The examples keep their promises while clients of them die and are cut off.
func TestExamplesOfPrograms(t *testing.T) {
	need(t, "python3", "bash", "curl", "jq")
	s := programScenario(t, 15*time.Second, map[string]string{
		"python-lock": python + "lock.py", "python-election": python + "election.py", "python-rwlock": python + "rwlock.py", "shell-lock": "exec bash examples/pipe-shell/lock.sh",
	})
	s.Faults = []Fault{{Of: []string{"crash-client", "cut-client", "revoke-lease"}, Peace: 2 * time.Second}}
	for subject, properties := range runPrograms(t, s) {
		for name, p := range properties {
			for _, v := range p.Violations {
				// A slow machine ends leases, and keeps calls from ending in time: that
				// is not what this is about.
				if v.Blame != checker.BlameLease && name != "progress" {
					t.Errorf("%s: %s: %s", subject, name, v.Sentence)
				}
			}
		}
		if properties["exclusion"].Figures["holds"] == 0 {
			t.Errorf("nobody held %s", subject)
		}
	}
}

// Programs that get a thing wrong are found, and they are to blame. Few run side by
// side, as a machine that is busy keeps them from meeting.
func TestBrokenProgramsAreFound(t *testing.T) {
	need(t, "python3")
	for _, want := range []map[string]string{
		{"LetsTwoIn": "exclusion", "TwoLeaders": "exclusion", "StaleToken": "fencing"},
		{"NeverRenews": "exclusion", "FreesAnothers": "exclusion"},
		{"ReadsBesideWriters": "exclusion", "WritesBesideReaders": "exclusion"},
	} {
		findPrograms(t, want)
	}
}

// findPrograms fails the test unless each program violates its property.
func findPrograms(t *testing.T, want map[string]string) {
	t.Helper()
	programs := make(map[string]string)
	for name := range want {
		programs[name] = brokenOne + name
	}
	s := programScenario(t, 12*time.Second, programs)
	for i := range s.Workloads {
		w := &s.Workloads[i]
		switch w.Subject {
		case "NeverRenews":
			w.Hold = span(3000, 4000)
		case "FreesAnothers":
			w.Clients, w.Hold, w.Impatient = 5, span(400, 900), 0.4
		case "LetsTwoIn", "TwoLeaders", "ReadsBesideWriters", "WritesBesideReaders":
			w.Clients, w.Hold = 3, span(400, 900)
		}
	}
	found := runPrograms(t, s)
	for name, property := range want {
		p := found[name][property]
		if p.Verdict != checker.Violated {
			t.Errorf("%s: %s is %s: %s", name, property, p.Verdict, p.Sentence)
			continue
		}
		if p.Violations[0].Blame != checker.BlameSubject {
			t.Errorf("%s: the blame is %s: %s", name, p.Violations[0].Blame, p.Violations[0].Sentence)
		}
	}
}

// Programs that do not keep to the protocol are told of with their last lines,
// and the run comes to its verdict.
func TestMisbehavingProgramsAreReported(t *testing.T) {
	t.Parallel()
	need(t, "python3")
	want := map[string]string{
		"babbler": `"acquiring..."`, "hanger": "waiting for a lock that never comes", "flooder": "mood", "dier": "the program has a bug",
	}
	programs := make(map[string]string)
	for name := range want {
		programs[name] = brokenOne + name
	}
	s := programScenario(t, 8*time.Second, programs)
	for i := range s.Workloads {
		s.Workloads[i].Patience = span(1000, 1500)
	}
	found := runPrograms(t, s)
	for name, words := range want {
		p := found[name]["contract"]
		if p.Verdict != checker.Violated || !strings.Contains(p.Sentence, words) || !strings.Contains(p.Sentence, "broke the protocol") {
			t.Errorf("%s: contract is %s: %s", name, p.Verdict, p.Sentence)
		}
	}
}

// A program can take the place of what a built-in scenario is about, and what is
// expected of that is expected of the program.
func TestProgramsInBuiltinScenarios(t *testing.T) {
	const program = `read line; echo '{"id":1,"ok":true,"name":"mine"}'; cat`
	for _, name := range BuiltinScenarios() {
		s, err := BuiltinScenario(name)
		if err != nil {
			t.Fatal(err)
		}
		s, err = s.WithPipe(t.Context(), program)
		if err != nil {
			t.Fatal(err)
		}
		whole := s.completed()
		if err := whole.Validate(); err != nil && !strings.Contains(err.Error(), "lives in real time") {
			t.Errorf("%s: %v", name, err)
		}
		if name == "paused-holder" && !slices.Equal(s.Expect.Damage, []string{"mine"}) {
			t.Errorf("%s expects damage of %q", name, s.Expect.Damage)
		}
	}
}

// What cannot be put to the test is refused before anything starts.
func TestProgramsThatAreRefused(t *testing.T) {
	for name, command := range map[string]string{
		"is not there": "no-such-program", "refuses": `read line; echo '{"id":1,"ok":false,"error":"no license"}'`,
	} {
		t.Run(name, func(t *testing.T) {
			s := NewScenario("refused")
			s.Workloads = []Workload{NewWorkload("x")}
			s.Workloads[0].Pipe = command
			out := filepath.Join(t.TempDir(), "runs")
			_, err := Run(t.Context(), s, RunOptions{Out: out})
			var pipe *PipeError
			if !errors.As(err, &pipe) || pipe.Command != command {
				t.Errorf("%v", err)
			}
			if _, err := os.Stat(out); err == nil {
				t.Error("a run directory was made")
			}
		})
	}
	s := NewScenario("virtual")
	s.Cluster.Kind = simulated
	s.Workloads = []Workload{NewWorkload("mutex")}
	s.Workloads[0].Pipe = "cat"
	c := s.completed()
	err := c.Validate()
	for _, want := range []string{"lives in real time", "name of something else"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
}

// What a program is put through by default shows a release that deletes another's
// key, although no overlap need come of it, in a third of its time.
func TestPipeScenarioFindsWhoFreesAnothers(t *testing.T) {
	need(t, "python3")
	if testing.Short() {
		t.Skip("it takes half a minute")
	}
	s, err := PipeScenario(t.Context(), brokenOne+"FreesAnothers")
	if err != nil {
		t.Fatal(err)
	}
	s.Duration, s.Quiet, s.Seed = 15*time.Second, 10*time.Second, 1
	p := runPrograms(t, s)[s.Workloads[0].Subject]["ownership"]
	if p.Verdict != checker.Violated || p.Violations[0].Blame != checker.BlameSubject {
		t.Errorf("ownership is %q: %s", p.Verdict, p.Sentence)
	}
}

// Each mistake that programs make has its moment: faults of entries of their own,
// which none keeps from the others.
func TestPipeScenarioOfEachPrimitive(t *testing.T) {
	for primitive, release := range map[history.Primitive]string{history.Mutex: "call release", history.RWMutex: "call release", history.Election: "call resign"} {
		subject := workloads.Subject{Name: "own"}
		switch primitive {
		case history.Mutex:
			subject.NewLock = func(*workloads.Session, string) workloads.Lock { return nil }
		case history.RWMutex:
			subject.NewRWLock = func(*workloads.Session, string) workloads.RWLock { return nil }
		default:
			subject.NewElection = func(*workloads.Session, string) workloads.Election { return nil }
		}
		s := TortureScenario(subject)
		s.Faults, s.Workloads[0].Pipe = pipeFaults(subject), "cat"
		c := s.completed()
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", primitive, err)
		}
		moments := make(map[string][]string)
		for _, f := range s.Faults {
			if f.When != nil {
				moments[f.When.Event] = append(moments[f.When.Event], f.Of...)
			}
		}
		for event, kinds := range map[string][]string{
			release: {"lose-answer", "lose-answer-partly"}, "holding": {"revoke-lease", "crash-client", "pause-client", "cut-client"}, "waiting": {"revoke-lease", "crash-client", "pause-client", "cut-client"},
		} {
			for _, kind := range kinds {
				if !slices.Contains(moments[event], kind) {
					t.Errorf("%s: no %s at %s", primitive, kind, event)
				}
			}
		}
	}
}
