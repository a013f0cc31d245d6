package holdfast

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/client/v3/concurrency"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/quantity"
	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/recipes"
)

// What is not a lock of the client library, without faults: everything that can
// be judged is, and holds.
func TestPrimitivesHoldWithoutFaults(t *testing.T) {
	long(t)
	s, err := BuiltinScenario("primitives")
	if err != nil {
		t.Fatal(err)
	}
	s.Duration, s.Faults, s.Seed = 4*time.Second, nil, 1
	j := run1(t, t.Context(), s)
	for _, p := range j.Result().Properties {
		if p.Verdict != checker.Holds {
			t.Errorf("%s of %s: %s: %s", p.Property, p.Subject, p.Verdict, p.Sentence)
		}
	}
	for subject, names := range map[string][]string{
		"v3lock":           {checker.Ownership, checker.Exclusion, checker.Order, checker.Fencing, checker.Leftovers, checker.Progress},
		"v3election":       {checker.Ownership, checker.Exclusion, checker.Observe, checker.Linearizable},
		"semaphore":        {checker.Ownership, checker.Exclusion, checker.Order, checker.Fencing, checker.Leftovers, checker.Progress},
		"service":          {checker.Ownership, checker.Exclusion, checker.Fencing, checker.Leftovers, checker.Progress},
		"stm-serializable": {checker.Total, checker.Progress, checker.Contract},
		"kv-register":      {checker.Linearizable, checker.Durability, checker.Progress, checker.Contract},
	} {
		for _, name := range names {
			property(t, j, subject, name)
		}
	}
	for _, p := range j.Result().Properties {
		alien := p.Property == checker.Exclusion || p.Property == checker.Ownership || p.Property == checker.Damage
		if alien && (strings.HasPrefix(p.Subject, "stm") || strings.HasPrefix(p.Subject, "kv")) {
			t.Errorf("%s, which nobody holds, is judged by %s", p.Subject, p.Property)
		}
	}
}

// Under faults nothing shows but what is known of etcd's recipes, which the
// services and the loop run too, and beliefs that outlived their leases.
func TestPrimitivesHoldUnderFaults(t *testing.T) {
	long(t)
	s, err := BuiltinScenario("primitives")
	if err != nil {
		t.Fatal(err)
	}
	s.Seed = 11
	j := run1(t, t.Context(), s)
	if j.Result().Exit != checker.ExitHolds {
		t.Errorf("exit %d", j.Result().Exit)
	}
	for _, subject := range []string{"v3lock", "semaphore", "service"} {
		if p := property(t, j, subject, checker.Ownership); p.Verdict != checker.Holds {
			t.Errorf("ownership of %s: %s: %s", subject, p.Verdict, p.Sentence)
		}
	}
	checkEvidence(t, j)
}

// The last round goes well with a member down, the record says that it was, and
// the verdict too.
func TestProgressInASurvivableState(t *testing.T) {
	t.Parallel()
	s := NewScenario("one-down")
	s.Seed, s.Duration, s.Quiet = 2, time.Second, 12*time.Second
	s.Workloads = []Workload{NewWorkload("mutex"), NewWorkload("kv-register")}
	s.Survivable = []string{"crash-member"}
	j := run1(t, t.Context(), s)
	healed, _ := j.Report.History.Phase(history.PhaseHealed)
	final, _ := j.Report.History.Phase(history.PhaseFinal)
	if _, ok := j.Report.History.Phase(history.PhaseSurvivable); !ok {
		t.Error("the record does not show the phase")
	}
	faults := j.Report.History.Faults
	if len(faults) != 1 || !faults[0].Verified || faults[0].From > healed || faults[0].To < final {
		t.Fatalf("the last round was from %v to %v, and the fault %+v", healed, final, faults)
	}
	for _, w := range s.Workloads {
		p := property(t, j, w.Subject, checker.Progress)
		if p.Verdict != checker.Holds || !strings.Contains(p.Sentence, "crash-member "+faults[0].Target+" lasted") {
			t.Errorf("%s: %s: %s", w.Subject, p.Verdict, p.Sentence)
		}
	}
}

func TestStatesThatNobodySurvivesAreRefused(t *testing.T) {
	for want, change := range map[string]func(*Scenario){
		`survivable[0]: there is no fault "explode"`:                                   func(s *Scenario) { s.Survivable = []string{"explode"} },
		"survivable[0]: isolate-member need not leave a state":                         func(s *Scenario) { s.Survivable = []string{"isolate-member"} },
		"survivable[0]: with 1 of 1 members down there is no majority":                 func(s *Scenario) { s.Cluster.Members, s.Survivable = 1, []string{"crash-member"} },
		"survivable[1]: crash-member is there already":                                 func(s *Scenario) { s.Survivable = []string{"crash-member", "crash-member"} },
		"survivable[1]: with 2 of 3 members down there is no majority":                 func(s *Scenario) { s.Survivable = []string{"crash-member", "crash-member"} },
		"quiet: 2s is too short for sessions of 1s to run out and clients to finish: ": func(s *Scenario) { s.Quiet, s.Survivable = 2*time.Second, []string{"crash-member"} },
	} {
		s := NewScenario("x")
		s.Workloads = []Workload{NewWorkload("mutex")}
		s.Complete()
		change(&s)
		if err := s.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// Subjects that are wrong, each in one way, are found by the property that this
// breaks.
func TestPlantedPrimitivesAreFound(t *testing.T) {
	t.Parallel()
	long(t)
	for _, c := range []struct {
		subject  workloads.Subject
		property string
		change   func(*Workload)
	}{
		{workloads.Subject{Name: "one-too-many", Layout: history.OldestKeys, NewSemaphore: func(s *workloads.Session, prefix string, permits int) workloads.Semaphore {
			return recipes.NewSemaphore(s, prefix, permits+1)
		}}, checker.Exclusion, nil},
		{workloads.Subject{Name: "one-too-many", Layout: history.OldestKeys, NewSemaphore: func(s *workloads.Session, prefix string, permits int) workloads.Semaphore {
			return recipes.NewSemaphore(s, prefix, permits+1)
		}}, checker.Ownership, nil},
		{workloads.Subject{Name: "compares-nothing", Layout: history.AccountKeys, Promise: history.Serializable, NewBank: func(s *workloads.Session, prefix string) workloads.Bank {
			return recipes.NewBank(s, prefix, concurrency.ReadCommitted)
		}}, checker.Total, func(w *Workload) { w.Hold = quantity.Span{} }},
		{workloads.Subject{Name: "remembers", Layout: history.OneKey, NewRegister: func(s *workloads.Session, prefix string) workloads.Register {
			return &remembers{Register: recipes.NewRegister(s, prefix)}
		}}, checker.Linearizable, nil},
		{workloads.Subject{Name: "forgets", Layout: history.OneKey, NewRegister: func(s *workloads.Session, prefix string) workloads.Register {
			return &forgets{recipes.NewRegister(s, prefix)}
		}}, checker.Durability, nil},
		{workloads.Subject{Name: "elects-nobody", NewService: func(*workloads.Session, string) workloads.Service { return electsNobody{} }}, checker.Exclusion, nil},
	} {
		t.Run(c.subject.Name+"/"+c.property, func(t *testing.T) {
			t.Parallel()
			s := NewScenario("planted")
			s.Seed, s.Duration, s.Quiet = 1, 3*time.Second, 6*time.Second
			w := NewWorkload(c.subject.Name)
			w.Objects = 1
			if c.change != nil {
				c.change(&w)
			}
			s.Workloads, s.Subjects = []Workload{w}, []workloads.Subject{c.subject}
			j := run1(t, t.Context(), s)
			p := property(t, j, c.subject.Name, c.property)
			if j.Result().Exit != checker.ExitViolated || !p.Fails(false) || p.Violations[0].Blame != checker.BlameSubject {
				t.Errorf("exit %d: %s: %s", j.Result().Exit, p.Verdict, p.Sentence)
			}
		})
	}
}

// remembers answers a read with what the one before it found.
type remembers struct {
	workloads.Register
	last *workloads.Reading
}

func (r *remembers) Get(ctx context.Context) (workloads.Reading, error) {
	now, err := r.Register.Get(ctx)
	if err != nil {
		return now, err
	}
	answer := now
	if r.last != nil {
		answer = *r.last
	}
	r.last = &now
	return answer, nil
}

// forgets acknowledges writes that it does not make.
type forgets struct{ workloads.Register }

func (f *forgets) Put(ctx context.Context, _ string) (int64, error) {
	now, err := f.Get(ctx)
	return now.Revision, err
}

// electsNobody leads at once.
type electsNobody struct{}

func (electsNobody) Run(ctx context.Context, lead func(context.Context, workloads.Grant)) error {
	lead(ctx, workloads.Grant{})
	return nil
}

// Scripts can make every call of the primitives.
func TestPrimitivesCanBeScripted(t *testing.T) {
	t.Parallel()
	scripts := map[string][]string{
		"semaphore":        {"A acquire x", "B acquire x", "C acquire x &", "A release x", "C join", "B work x 5ms", "B release x", "C release x"},
		"service":          {"A run x 20ms &", "B run x 5ms", "A join"},
		"stm-serializable": {"A transfer x", "B transfer x &", "A transfer x", "B join", "C audit x"},
		"kv-register":      {"A put x", "B get x", "B compare-and-set x", "A compare-and-set x", "C get x"},
	}
	s := NewScenario("scripted")
	s.Seed, s.Duration = 1, 20*time.Second
	for subject, script := range scripts {
		w := NewWorkload(subject)
		w.Clients, w.Script = 3, script
		s.Workloads = append(s.Workloads, w)
	}
	j := run1(t, t.Context(), s)
	for _, e := range j.Report.History.Events {
		if e.Kind == history.Signalled && e.Detail != history.ScriptEnd {
			t.Errorf("%s: %s", e.Subject, e.Detail)
		}
	}
	for _, p := range j.Result().Properties {
		if p.Verdict == checker.Violated {
			t.Errorf("%s of %s: %s", p.Property, p.Subject, p.Sentence)
		}
	}
	went := make(map[history.Kind]bool) // a machine that stalls may keep a single one from being answered
	for i := range j.Report.History.Operations {
		op := &j.Report.History.Operations[i]
		went[op.Kind] = went[op.Kind] || op.Outcome == history.Ok
	}
	for _, kind := range []history.Kind{history.Acquire, history.Release, history.Campaign, history.Resign, history.Transfer, history.Audit, history.Get, history.Put} {
		if !went[kind] {
			t.Errorf("no %s went well", kind)
		}
	}
	differs := func(op history.Operation) bool {
		return op.Kind == history.CompareAndSet && op.Client == slices.Sorted(slices.Values(clientsOf(j, "kv-register")))[0] && op.Outcome == history.Fail
	}
	if !slices.ContainsFunc(j.Report.History.Operations, differs) {
		t.Error("A compared with what B had replaced, and was not refused")
	}
}

func clientsOf(j *Judgement, subject string) []string {
	var clients []string
	for _, e := range j.Report.History.Events {
		if e.Kind == history.SessionOpened && e.Subject == subject {
			clients = append(clients, e.Client)
		}
	}
	return clients
}

// The lock service's clean-up after a cancelled call takes the next call's key,
// at a moment that a run may miss.
func TestV3LockCleansUpTooLate(t *testing.T) {
	t.Parallel()
	long(t)
	for seed := int64(1); seed <= 4; seed++ {
		s, err := BuiltinScenario("upstream/v3lock-late-clean-up")
		if err != nil {
			t.Fatal(err)
		}
		s.Seed = seed
		j := run1(t, t.Context(), s)
		p := property(t, j, "v3lock", checker.Exclusion)
		if p.Fails(false) {
			t.Fatalf("it is not taken for what it is: %s", p.Sentence)
		}
		if known(p, "v3lock-late-clean-up") {
			return
		}
	}
	t.Error("four runs did not show it")
}
