package holdfast

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// drawn is the scenario that a seed gives to a subject.
func drawn(subject string, seed int64) Scenario {
	return SimulatedScenario(workloads.Subject{Name: subject}, seed, Swarm{})
}

// digestsOf is set in the process that TestOneSeedIsOneRun starts.
const digestsOf = "HOLDFAST_TEST_DIGESTS"

// TestOneSeedIsOneRun repeats runs in this process, and in others that use one
// processor, two and four: each seed has one digest.
//
//	go test -run TestOneSeedIsOneRun -count 100 .
func TestOneSeedIsOneRun(t *testing.T) {
	runs := []Scenario{drawn("mutex", 7), drawn("election", 12), drawn("rwmutex", 3), drawn("queue", 10), drawn("service", 6), drawn("mutex-checked", 250), drawn("barrier", 2314), drawn("rwmutex-checked", 988), drawn("service", 354), drawn("stm-serializable", 209)}
	digests := func() string {
		var all []string
		for _, s := range runs {
			m, err := Simulate(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, m.Digest.String())
		}
		return strings.Join(all, " ")
	}
	if os.Getenv(digestsOf) != "" {
		fmt.Println("digests", digests())
		return
	}
	first := digests()
	if again := digests(); again != first {
		t.Errorf("%s, and then %s", first, again)
	}
	for _, processors := range []string{"1", "2", "4"} {
		command := exec.Command(os.Args[0], "-test.run=^TestOneSeedIsOneRun$")
		command.Env = append(os.Environ(), digestsOf+"=1", "GOMAXPROCS="+processors)
		out, err := command.Output()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if line, _, _ := strings.Cut(string(out), "\n"); line != "digests "+first {
			t.Errorf("with %s processors %s, want %s", processors, line, first)
		}
	}
}

// TestSimulatedRunsAreTheSameOnDisk holds a run with a directory against one in
// memory, and what is judged of either.
func TestSimulatedRunsAreTheSameOnDisk(t *testing.T) {
	s := drawn("election", 9)
	m, err := Simulate(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	j, err := Run(t.Context(), s, RunOptions{Out: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if j.Info.Digest != m.Digest.String() {
		t.Errorf("digest %s on disk, %v in memory", j.Info.Digest, m.Digest)
	}
	names := func(r *checker.Result) (all []string) {
		for _, b := range r.Mechanisms() {
			all = append(all, b.Mechanism)
		}
		return all
	}
	if disk, memory := fmt.Sprint(names(j.Result())), fmt.Sprint(names(m.Result)); disk != memory {
		t.Errorf("%s on disk, %s in memory", disk, memory)
	}
	again, err := Judge(j.Directory, false)
	if err != nil || again.Result().Verdict != j.Result().Verdict {
		t.Errorf("judged again: %v", err)
	}
}

// TestCalmSimulationsAreClean runs etcd's own without faults: nothing may be found.
func TestCalmSimulationsAreClean(t *testing.T) {
	for _, subject := range []string{"mutex", "rwmutex", "election"} {
		r, err := Sweep(t.Context(), func(seed int64) Scenario {
			return SimulatedScenario(workloads.Subject{Name: subject}, seed, Swarm{Faults: []string{}})
		}, SweepOptions{From: 1, To: many(300)})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range r.Found {
			t.Errorf("%s: %s, in %d runs, first with seed %d: %s", subject, f.Mechanism, f.Runs, f.Seed, f.Violation.Sentence)
		}
		if !r.Complete || len(r.Failed) > 0 || r.Verdict(true) != checker.Holds {
			t.Errorf("%s: %s after %d runs, failed: %v, tested: %v", subject, r.Verdict(true), r.Runs, r.Failed, r.Tested)
		}
	}
}

// many is n, or few of them if the test is to be short.
func many(n int64) int64 {
	if testing.Short() {
		return max(n/10, 1)
	}
	return n
}

// TestCorrectedSubjectsSurviveSimulations runs them under all faults: nothing is
// found but beliefs that outlived their leases and what the checks excuse.
func TestCorrectedSubjectsSurviveSimulations(t *testing.T) {
	for _, subject := range []string{
		"mutex-checked", "rwmutex-checked", "election-checked", "queue-checked", "barrier-checked", "double-barrier-checked", "semaphore", "service",
	} {
		r, err := Sweep(t.Context(), func(seed int64) Scenario { return drawn(subject, seed) }, SweepOptions{From: 1, To: many(150), Verify: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range r.Found {
			if !f.Excused {
				t.Errorf("%s: %s, in %d runs, first with seed %d: %s", subject, f.Mechanism, f.Runs, f.Seed, f.Violation.Sentence)
			}
		}
		if len(r.Failed)+len(r.Diverged) > 0 {
			t.Errorf("%s: failed %v, diverged %v", subject, r.Failed, r.Diverged)
		}
	}
}

// TestKnownDefectsAreFoundUnaided looks for defects of etcd's recipes in random
// schedules that know of none.
func TestKnownDefectsAreFoundUnaided(t *testing.T) {
	for subject, known := range map[string]string{
		"election": "etcd#19597", "rwmutex": "etcd#16221", "barrier": "barrier-pass-while-blocked", "double-barrier": "double-barrier-enters-alone",
		"mutex": "lost-lock-keeps-key", "queue": "etcd#17198",
	} {
		t.Run(subject, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			found := ""
			r, err := Sweep(ctx, func(seed int64) Scenario { return drawn(subject, seed) }, SweepOptions{From: 1, To: 3000, Progress: func(r *SweepResult) {
				for _, f := range r.Found {
					if f.Violation.Known == known {
						found = f.Mechanism
						cancel()
					}
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			if found == "" {
				t.Errorf("%s was not found in %d runs: %v", known, r.Runs, r.Found)
			}
			t.Logf("%d runs: %s", r.Runs, found)
		})
	}
}

func TestSweepEndsWhenItShould(t *testing.T) {
	scenario := func(seed int64) Scenario { return drawn("no-lease-check", seed) }
	r, err := Sweep(t.Context(), scenario, SweepOptions{From: 1, To: 1000, FailFast: true})
	if err != nil || r.Runs == 0 || r.Runs > 900 || r.Verdict(false) != checker.Violated || r.Complete {
		t.Errorf("fail fast: %d runs, %s: %v", r.Runs, r.Verdict(false), err)
	}
	if len(r.Found) == 0 || len(r.Found[0].Smallest) == 0 || r.Found[0].Excused {
		t.Errorf("found %+v", r.Found)
	}
	if _, err := Sweep(t.Context(), scenario, SweepOptions{From: 5, To: 4}); err == nil {
		t.Error("a sweep from 5 to 4 is none")
	}
	if _, err := Sweep(t.Context(), scenario, SweepOptions{To: 4}); err == nil || !strings.Contains(err.Error(), "SweepOptions.From") {
		t.Errorf("a sweep without a first seed: %v", err)
	}
	if r, err := Sweep(t.Context(), scenario, SweepOptions{From: 1, Limit: 300 * time.Millisecond}); err != nil || r.Complete {
		t.Errorf("with a limit: %+v, %v", r, err)
	}
	var mistakes *ScenarioError
	if _, err := Sweep(t.Context(), func(seed int64) Scenario { return drawn("v3lock", seed) }, SweepOptions{From: 1, To: 5}); !errors.As(err, &mistakes) || !strings.Contains(err.Error(), "embedded has") {
		t.Errorf("a subject that needs a connection: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if r, err := Sweep(ended, scenario, SweepOptions{From: 1, To: 5}); err != nil || r.Runs != 0 || !r.Interrupted || r.Verdict(false) == checker.Holds {
		t.Errorf("a sweep that was ended before it began: %+v, %v", r, err)
	}
}

// TestInterruptedSweepsAreUnknown ends a sweep that has found nothing: with a last
// seed or a limit that is no verdict, without either it is how a sweep ends.
func TestInterruptedSweepsAreUnknown(t *testing.T) {
	calm := func(seed int64) Scenario {
		return SimulatedScenario(workloads.Subject{Name: "mutex"}, seed, Swarm{Faults: []string{}})
	}
	for _, test := range []struct {
		options SweepOptions
		want    checker.Verdict
	}{
		{SweepOptions{From: 1, To: 1_000_000}, checker.Unknown},
		{SweepOptions{From: 1, Limit: time.Hour}, checker.Unknown},
		{SweepOptions{From: 1}, checker.Holds},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		test.options.Progress = func(*SweepResult) { cancel() }
		r, err := Sweep(ctx, calm, test.options)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		if r.Runs == 0 || r.Complete || r.Interrupted != (test.want == checker.Unknown) || r.Verdict(true) != test.want {
			t.Errorf("after %d runs to %d: interrupted %t, %s, want %s", r.Runs, test.options.To, r.Interrupted, r.Verdict(true), test.want)
		}
	}
}

// TestTheSmallestRunsAreKept keeps runs of a few sizes, in every order of twelve that
// is drawn: it is always the same three.
func TestTheSmallestRunsAreKept(t *testing.T) {
	for range 200 {
		var f finds
		for _, n := range rand.Perm(12) {
			m := &Simulation{History: &history.History{Operations: make([]history.Operation, 5+n%2)}}
			m.Scenario.Seed = int64(n + 1)
			f.keep(m)
		}
		var seeds []int64
		for _, one := range f.small {
			seeds = append(seeds, one.scenario.Seed)
		}
		if want := []int64{1, 3, 5}; !slices.Equal(seeds, want) {
			t.Fatalf("kept are %v, want %v", seeds, want)
		}
	}
}

// fickle is a lock that does something else each time that it is run.
type fickle struct {
	client *clientv3.Client
	times  *atomic.Int64
}

func (l fickle) Acquire(ctx context.Context) (workloads.Grant, error) {
	_, err := l.client.Put(ctx, "holdfast/fickle/0/x", strconv.FormatInt(l.times.Add(1), 10))
	return workloads.Grant{}, err
}
func (fickle) Release(context.Context) error { return nil }

// TestRunsThatDivergeAreNamed runs a subject that is no function of its seed.
func TestRunsThatDivergeAreNamed(t *testing.T) {
	var times atomic.Int64
	subject := workloads.Subject{Name: "fickle", NewLock: func(s *workloads.Session, _ string) workloads.Lock {
		return fickle{s.Client, &times}
	}}
	r, err := Sweep(t.Context(), func(seed int64) Scenario { return SimulatedScenario(subject, seed, Swarm{Faults: []string{}}) },
		SweepOptions{From: 1, To: 3, Verify: true})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(r.Diverged, []int64{1, 2, 3}) {
		t.Errorf("diverged: %v", r.Diverged)
	}
	if r.Found = nil; r.Verdict(false) != checker.Unknown {
		t.Errorf("with nothing found they are %s", r.Verdict(false))
	}
}

// TestRunsThatFailAreNamed accounts for a run that the harness could not make: it is
// no run that was judged, and the sweep is no pass.
func TestRunsThatFailAreNamed(t *testing.T) {
	m, err := Simulate(t.Context(), SimulatedScenario(workloads.Subject{Name: "mutex"}, 1, Swarm{Faults: []string{}}))
	if err != nil {
		t.Fatal(err)
	}
	for _, failFast := range []bool{false, true} {
		s := &sweep{options: SweepOptions{FailFast: failFast}, found: make(map[string]*finds), tested: make(map[[2]string]*Tested)}
		s.result.Failed = make(map[int64]error)
		s.account(t.Context(), 1, m, nil, nil)
		if r := s.snapshot(); r.Verdict(true) != checker.Holds || s.stop {
			t.Fatalf("a run that holds is %s", r.Verdict(true))
		}
		s.account(t.Context(), 2, nil, nil, errStandstill)
		r := s.snapshot()
		if r.Runs != 1 || !errors.Is(r.Failed[2], errStandstill) || r.Verdict(true) != checker.Unknown || s.stop != failFast {
			t.Errorf("%d runs, failed %v, %s, ended %t", r.Runs, r.Failed, r.Verdict(true), s.stop)
		}
	}
}

// TestSimulationsAreInterrupted ends a run of an hour.
func TestSimulationsAreInterrupted(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	s := drawn("mutex", 1)
	s.Duration = 24 * time.Hour
	j, err := Run(ctx, s, RunOptions{Out: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if j.Info.Ended != EndedInterrupted || j.Result().Exit == checker.ExitHolds {
		t.Errorf("%s, exit %d", j.Info.Ended, j.Result().Exit)
	}
}

// hasty is a lock that panics.
type hasty struct{}

func (hasty) Acquire(context.Context) (workloads.Grant, error) { panic("oh") }
func (hasty) Release(context.Context) error                    { panic("oh") }

// stubborn is a lock whose calls wait for the end of the test.
type stubborn struct{ mu *sync.Mutex }

func (l stubborn) Acquire(context.Context) (workloads.Grant, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return workloads.Grant{}, nil
}
func (l stubborn) Release(context.Context) error { return nil }

func own(name string, lock workloads.Lock) workloads.Subject {
	return workloads.Subject{Name: name, NewLock: func(*workloads.Session, string) workloads.Lock { return lock }}
}

// TestSimulationsSurviveTheirSubjects runs a lock that panics, and one that waits
// for what is no part of the simulation.
func TestSimulationsSurviveTheirSubjects(t *testing.T) {
	m, err := Simulate(t.Context(), SimulatedScenario(own("hasty", hasty{}), 1, Swarm{Faults: []string{}}))
	if err != nil || m.Result.Verdict != checker.Violated {
		t.Errorf("hasty: %v, %v", m, err)
	}
	var mu sync.Mutex
	mu.Lock()
	s := SimulatedScenario(own("stubborn", stubborn{&mu}), 1, Swarm{Faults: []string{}}).completed()
	r := &run{scenario: &s, info: &Info{}, standstill: 200 * time.Millisecond}
	if err := r.live(t.Context()); !errors.Is(err, errStandstill) {
		t.Errorf("stubborn: %v", err)
	}
	mu.Unlock() // now it goes on, and ends
}
