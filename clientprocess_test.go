package holdfast

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/quantity"
	"github.com/etcd-holdfast/holdfast/reports"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// apart is a short run whose clients are processes.
func apart(subjects ...string) Scenario {
	s := NewScenario("apart")
	s.Seed, s.Duration, s.Cluster.Members, s.Clients.As = 1, 6*time.Second, 1, ClientProcesses
	for _, subject := range subjects {
		s.Workloads = append(s.Workloads, NewWorkload(subject))
	}
	return s
}

// expectHarmedClients expects that clients died and stood still, as that evidence of a
// pause shows, and that nothing came of it.
func expectHarmedClients(t *testing.T, j *Judgement, evidence string) {
	t.Helper()
	if j.Result().Exit == checker.ExitViolated {
		t.Errorf("exit %d", j.Result().Exit)
	}
	proved := make(map[string]int)
	for _, f := range j.Report.History.Faults {
		if f.Verified {
			proved[f.Kind]++
		}
		if f.Verified && f.Kind == "pause-client" && !strings.Contains(f.Evidence, evidence) {
			t.Errorf("the evidence of a pause is %q", f.Evidence)
		}
	}
	if proved["crash-client"] == 0 || proved["pause-client"] == 0 {
		t.Errorf("proved were %v, want crashes and pauses", proved)
	}
	if len(j.Info.Warnings) > 0 {
		t.Errorf("warnings: %v", j.Info.Warnings)
	}
}

// Clients that are processes are killed and stopped, each with proof, and the
// corrected subjects keep their word. What they left is gone.
func TestClientsThatAreProcesses(t *testing.T) {
	t.Parallel()
	long(t)
	s := apart("mutex-checked", "rwmutex-checked", "election-checked")
	often := quantity.Span{Min: 500 * time.Millisecond, Max: time.Second}
	s.Faults = []Fault{
		{Of: []string{"crash-client"}, Every: often},
		{Of: []string{"pause-client"}, Every: often, For: quantity.Span{Min: 200 * time.Millisecond, Max: 1500 * time.Millisecond}},
		{Of: []string{"cut-client"}},
	}
	j := run1(t, t.Context(), s)
	expectHarmedClients(t, j, "threads in state T")
	if _, err := os.Stat(filepath.Join(j.Directory, clientLogDirectory)); !os.IsNotExist(err) {
		t.Errorf("nobody said anything, and there are logs: %v", err)
	}
}

// Holders that are stopped for longer than their lease lives wake up and write:
// the unfenced resource loses updates, the fenced one does not.
func TestAPausedHolderHarmsWhatIsNotFenced(t *testing.T) {
	long(t)
	s, err := BuiltinScenario("paused-holder", "duration=7s")
	if err != nil {
		t.Fatal(err)
	}
	s.Seed = 1
	for i := range s.Faults {
		s.Faults[i].Times = 1
	}
	j := run1(t, t.Context(), s)
	if j.Result().Exit != checker.ExitHolds {
		t.Errorf("exit %d: %v", j.Result().Exit, j.Result().Notes)
	}
	for _, subject := range s.Expect.Damage {
		if lost := property(t, j, subject, checker.Damage).Figures["lost"]; lost == 0 {
			t.Errorf("%s: no update was lost", subject)
		}
		if p := property(t, j, subject, checker.Fencing); p.Verdict != checker.Holds {
			t.Errorf("%s: fencing %s: %s", subject, p.Verdict, p.Sentence)
		}
		late := false
		for _, v := range property(t, j, subject, checker.Exclusion).Violations {
			late = late || v.Blame == checker.BlameLease
		}
		if !late {
			t.Errorf("%s: no belief outlived its lease", subject)
		}
	}
}

// Planted bugs are found in clients that are processes too.
func TestAPlantedBugIsFoundInClientsThatAreProcesses(t *testing.T) {
	t.Parallel()
	long(t)
	s := apart("get-then-put")
	j := run1(t, t.Context(), s)
	if p := property(t, j, "get-then-put", checker.Exclusion); p.Verdict != checker.Violated || j.Result().Exit != checker.ExitViolated {
		t.Errorf("%s: %s", p.Verdict, p.Sentence)
	}
}

// mortal is a lock whose program ends when it is held for the third time. The
// harness makes it in this process, and each client in its own.
func mortal() workloads.Subject {
	return workloads.Subject{
		Name: "mortal", Layout: history.OldestKey,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &mortalLock{client: s.Client, lease: s.Session.Lease(), key: prefix + "/lock"}
		},
	}
}

type mortalLock struct {
	client *clientv3.Client
	lease  clientv3.LeaseID
	key    string
	token  int64
	held   int
}

func (l *mortalLock) Acquire(ctx context.Context) (workloads.Grant, error) {
	reply, err := l.client.Txn(ctx).If(clientv3.Compare(clientv3.CreateRevision(l.key), "=", 0)).
		Then(clientv3.OpPut(l.key, "", clientv3.WithLease(l.lease))).Commit()
	switch {
	case err != nil:
		return workloads.Grant{}, err
	case !reply.Succeeded:
		return workloads.Grant{}, workloads.WithoutEffect(workloads.ErrTaken)
	}
	if l.held++; l.held == 3 {
		go func() { panic("as planned") }() // which nobody can recover
	}
	l.token = reply.Header.Revision
	return workloads.Grant{Key: l.key, Token: l.token}, nil
}

func (l *mortalLock) Release(ctx context.Context) error {
	_, err := l.client.Delete(ctx, l.key)
	return err
}

// A client whose process ends by itself is reported with its last words, replaced,
// and the run comes to a verdict.
func TestAClientWhoseProcessEndsByItselfIsReported(t *testing.T) {
	t.Parallel()
	long(t)
	s := apart("mortal")
	s.Subjects = []workloads.Subject{mortal()}
	j := run1(t, t.Context(), s)
	p := property(t, j, "mortal", checker.Contract)
	if p.Verdict != checker.Violated || !strings.Contains(p.Sentence, "process ended by itself") || !strings.Contains(p.Sentence, "exit status 2, saying: panic: as planned") {
		t.Errorf("%s: %s", p.Verdict, p.Sentence)
	}
	if j.Info.Ended != EndedComplete || j.Result().Exit != checker.ExitViolated {
		t.Errorf("it ended %q with exit %d", j.Info.Ended, j.Result().Exit)
	}
	if logs, err := os.ReadDir(filepath.Join(j.Directory, clientLogDirectory)); err != nil || len(logs) == 0 {
		t.Errorf("there are no logs of the dead: %v", err)
	}
	// The report has them, on the clock of the record: a panic comes with its client's death.
	died := make(map[string]time.Duration)
	for _, e := range j.Report.History.Events {
		if e.Kind == history.Crashed {
			died[e.Client] = e.Time
		}
	}
	panics := 0
	for _, l := range j.Report.Logs {
		if l.Of != reports.Clients || l.Text != "panic: as planned" {
			continue
		}
		panics++
		if death, ok := died[l.Name]; l.Undated || !ok || l.Time <= 0 || l.Time > death {
			t.Errorf("%s panicked at %v (undated: %v) and died at %v", l.Name, l.Time, l.Undated, death)
		}
	}
	if panics == 0 {
		t.Error("the report has no line of a panic")
	}
	replaced := false
	for _, op := range j.Report.History.Operations {
		replaced = replaced || strings.Contains(op.Client, ".")
	}
	if !replaced {
		t.Error("nobody took the place of the dead")
	}
}

// A program that does not know the subject is told so, and the run fails.
func TestAClientThatDoesNotKnowItsSubject(t *testing.T) {
	t.Parallel()
	long(t)
	s := apart("stranger")
	stranger := mortal()
	stranger.Name = "stranger"
	s.Subjects = []workloads.Subject{stranger}
	_, err := Run(t.Context(), s, RunOptions{Out: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), `it knows no subject "stranger"; it has to be given to holdfast.Subprocess`) {
		t.Errorf("%v", err)
	}
}

// A process that was started for a run does not begin another.
func TestAProcessOfARunBeginsNone(t *testing.T) {
	t.Setenv("HOLDFAST_ROLE", clientRole)
	_, err := Run(t.Context(), apart("mutex"), RunOptions{Out: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "call holdfast.Subprocess before all else") {
		t.Errorf("%v", err)
	}
}

func TestWhatClientsThatAreProcessesCannotDoIsRefused(t *testing.T) {
	shared := apart("mutex")
	shared.Workloads[0].Script = []string{"A acquire x", "B release x"}
	shared.Workloads[0].Shared = map[string]string{"B": "A"}
	simulated := apart("mutex")
	simulated.Cluster.Kind = "sim"
	elsewhere := apart("mutex")
	elsewhere.Clients.As = "threads"
	here := apart("mutex")
	here.Clients.As = ""
	here.Faults = []Fault{{Of: []string{"pause-client"}}}
	harmless := apart("kv-register")
	harmless.Expect.Damage = []string{"kv-register", "mutex"}
	for _, c := range []struct {
		name     string
		scenario Scenario
		wants    []string
	}{
		{"a session that is shared", shared, []string{"workloads[0].shared: clients that are processes or containers of their own cannot share a session"}},
		{"a simulation", simulated, []string{"clients.as: a cluster of kind sim is simulated in this process"}},
		{"nowhere", elsewhere, []string{`clients.as: "threads" is not where clients can be`}},
		{"a pause in this process", here, []string{"pause-client: it needs clients that can be made to stand still", "sim has", "clients.as: processes"}},
		{"damage that cannot be", harmless, []string{"expect.damage[0]: kv-register protects no resource", `expect.damage[1]: "mutex" has no workload`}},
	} {
		s := c.scenario
		s.Complete()
		err := s.Validate()
		for _, want := range c.wants {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", c.name, err, want)
			}
		}
	}
}

func TestLastWordsBeginWithThePanic(t *testing.T) {
	stack := strings.Repeat("\tsomewhere.go:7\n", 50)
	for _, c := range []struct{ log, want string }{
		{"hello\npanic: boom\n\ngoroutine 7 [running]:\n" + stack, "panic: boom\n\ngoroutine 7"},
		{"fatal error: all goroutines are asleep\n", "fatal error: all goroutines are asleep"},
		{strings.Repeat("line\n", 30) + "the end\n", strings.Repeat("line\n", lastLines-1) + "the end"},
	} {
		got := lastWords(c.log)
		if !strings.HasPrefix(got, c.want) || strings.Count(got, "\n") >= lastLines {
			t.Errorf("%q, want %q at its beginning and %d lines at most", got, c.want, lastLines)
		}
	}
}
