package holdfast

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/cluster/embedded"
	"github.com/etcd-holdfast/holdfast/faults"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/internal/playground"
	"github.com/etcd-holdfast/holdfast/quantity"
)

// refused runs a scenario that must not start, and returns the error and all that was
// said of it.
func refused(t *testing.T, s Scenario) (string, string) {
	t.Helper()
	var story strings.Builder
	out := t.TempDir()
	_, err := Run(t.Context(), s, RunOptions{Out: out, Progress: func(line string) { story.WriteString(line + "\n") }})
	if err == nil {
		t.Fatalf("it ran:\n%s", story.String())
	}
	return err.Error(), out
}

// A prefix that is not empty is refused, whoever has something there, and it stays.
func TestAPrefixThatIsTaken(t *testing.T) {
	t.Parallel()
	o := newOutside(t, playground.Config{Members: 1})
	s := outsideScenario(o)
	o.put(t, "holdfast/outside/x", "of somebody")
	before, leases := o.inventory(t)
	text, _ := refused(t, s)
	if !strings.Contains(text, `: 1 key, the first is "holdfast/outside/x", which is somebody else's: name another prefix`) {
		t.Error(text)
	}
	compare(t, o, before, leases)

	// A run that was killed leaves its claim: sweep knows it, and touches nothing else.
	spec := s.Cluster
	spec.Prefix = "holdfast/outside/"
	if _, err := SweepPrefix(t.Context(), spec, true); err == nil || !strings.Contains(err.Error(), "no sign of a run") {
		t.Errorf("sweep of somebody else's: %v", err)
	}
	compare(t, o, before, leases)
	o.put(t, "holdfast/outside/run", "holdfast outside on a machine, process 7, since then")
	grant, err := o.root.Grant(t.Context(), 600)
	if err != nil {
		t.Fatal(err)
	}
	o.put(t, "holdfast/outside/y", "leased", clientv3.WithLease(grant.ID))
	shared, err := o.root.Grant(t.Context(), 600)
	if err != nil {
		t.Fatal(err)
	}
	o.put(t, "holdfast/outside/z", "leased", clientv3.WithLease(shared.ID))
	o.put(t, "elsewhere", "leased", clientv3.WithLease(shared.ID)) // so that the lease is not the run's
	text, _ = refused(t, s)
	if !strings.Contains(text, `of the run "outside on a machine, process 7, since then"`) || !strings.Contains(text, "holdfast sweep --prefix holdfast/outside/") {
		t.Error(text)
	}
	claim, err := SweepPrefix(t.Context(), spec, false)
	if err != nil || claim == nil || claim.Keys != 4 {
		t.Fatalf("%+v, %v", claim, err)
	}
	if claim, err = SweepPrefix(t.Context(), spec, true); err != nil || claim.Keys != 4 {
		t.Fatalf("%+v, %v", claim, err)
	}
	keys, left := o.inventory(t)
	if len(keys) != 1 || string(keys[0].Key) != "elsewhere" || len(left) != 1 || left[0] != shared.ID {
		t.Errorf("left: %v, leases %x", keys, left)
	}
	if claim, err := SweepPrefix(t.Context(), spec, true); err != nil || claim != nil {
		t.Errorf("sweep of nothing: %+v, %v", claim, err)
	}
}

// Who has the wrong password, or may not use the prefix, is told so, without the
// password, and leaves nothing.
func TestWhoIsNotLetIn(t *testing.T) {
	o := newOutside(t, playground.Config{Members: 1, TLS: true, Auth: true})
	o.furnish(t)
	keys, leases := o.inventory(t)
	right := secretIn(t, o.Keys.UserPassword)
	wrong := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(wrong, []byte("wrong-"+right+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(spec *ClusterSpec)
		want   string
	}{
		"wrong password":   {func(spec *ClusterSpec) { spec.PasswordFile = wrong }, `as user "holdfast"`},
		"nobody":           {func(spec *ClusterSpec) { spec.User, spec.PasswordFile = "", "" }, "give a user by --user"},
		"no file":          {func(spec *ClusterSpec) { spec.PasswordFile = "/no/such/file" }, "read the password"},
		"another's prefix": {func(spec *ClusterSpec) { spec.Prefix = "elsewhere/" }, "that takes a role such as"},
		"no certificate":   {func(spec *ClusterSpec) { spec.TLS = &TLSSpec{CAFile: o.Keys.CA} }, "--cert and --key"},
		"in the clear": {func(spec *ClusterSpec) {
			spec.TLS, spec.Endpoints = nil, []string{strings.Replace(spec.Endpoints[0], "https:", "http:", 1)}
		}, "https:// instead of http://"},
		"no authority": {func(spec *ClusterSpec) { spec.TLS = &TLSSpec{CertFile: o.Keys.Cert, KeyFile: o.Keys.Key} }, "--cacert"},
		"a user in a URL": {func(spec *ClusterSpec) {
			spec.Endpoints = []string{strings.Replace(spec.Endpoints[0], "https://", "https://holdfast:"+right+"@", 1)}
		}, "leave them out"},
		"user and password": {func(spec *ClusterSpec) { spec.User = "holdfast:" + right }, "a name alone"},
	} {
		t.Run(name, func(t *testing.T) {
			s := outsideScenario(o)
			c.change(&s.Cluster)
			text, out := refused(t, s)
			if !strings.Contains(text, c.want) {
				t.Errorf("%s, want %q", text, c.want)
			}
			if strings.Contains(text, right) {
				t.Error("the error has the password")
			}
			if runs, _ := os.ReadDir(out); len(runs) > 0 {
				secretsIn(t, out, right)
			}
		})
	}
	compare(t, o, keys, leases)
	// The environment says it too, and no process that is started has it.
	t.Setenv(UserVariable, playground.User)
	t.Setenv(PasswordVariable, right)
	s := outsideScenario(o)
	s.Cluster.User, s.Cluster.PasswordFile = "", ""
	s.Duration = 2 * time.Second
	s.Hooks = map[string]faults.Hook{"tell": {Inject: []string{"true"}, Prove: []string{"sh", "-c", "env; echo the file has " + "$(cat " + o.Keys.UserPassword + ")"}}}
	at := 100 * time.Millisecond
	s.Faults = []Fault{{Of: []string{"hook/tell"}, At: &at, For: quantity.Span{Min: at, Max: at}}}
	j := run1(t, t.Context(), s)
	secretsIn(t, j.Directory, right)
	evidence := j.Report.History.Faults[0].Evidence
	if !strings.Contains(evidence, "the file has [password]") || strings.Contains(evidence, PasswordVariable) {
		t.Errorf("evidence: %s", evidence)
	}
}

// A cluster raises a time-to-live that is too short for its election timeout: the run
// says so, and goes by what it gets.
func TestATimeToLiveThatIsRaised(t *testing.T) {
	t.Parallel()
	long(t)
	c, err := embedded.Start(t.Context(), embedded.Config{Members: 1, Election: time.Second, Heartbeat: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	endpoints, err := c.Connect("outside")
	if err != nil {
		t.Fatal(err)
	}
	s := NewScenario("raised")
	s.Cluster.Kind, s.Cluster.Endpoints = externalKind, endpoints
	s.Cluster.Election = 600 * time.Millisecond
	s.Duration = time.Second
	s.Workloads = []Workload{NewWorkload("mutex")}
	j := run1(t, t.Context(), s)
	if text := strings.Join(j.Info.Warnings, "\n"); !strings.Contains(text, "the cluster raises 1s to 2s") || !strings.Contains(text, "election: 600ms is not heeded") || strings.Contains(text, "heartbeat") {
		t.Errorf("warnings: %s", text)
	}
	opened := 0
	for _, e := range j.Report.History.Events {
		if e.Kind == history.SessionOpened {
			if opened++; e.TTL != 2*time.Second {
				t.Errorf("%s opened a session of %v", e.Client, e.TTL)
			}
		}
	}
	if opened == 0 {
		t.Error("nobody opened a session")
	}
}

// What a cluster cannot have is left out where the scenario says so, by name, and what
// is drawn for the rest stays.
func TestWhatIsMissingIsLeftOut(t *testing.T) {
	s, err := BuiltinScenario("quick", `cluster.endpoints=["http://127.0.0.1:2379"]`, "cluster.kind=external", "missing=skip")
	if err != nil {
		t.Fatal(err)
	}
	left := strings.Join(s.LeftOut, "\n")
	for _, want := range []string{"isolate-leader: it needs links between members", "crash-member: it needs members that can crash", "compact: it compacts the history of the whole store"} {
		if !strings.Contains(left, want) {
			t.Errorf("%q is not among\n%s", want, left)
		}
	}
	if len(s.Faults[0].Of) != 0 || len(s.Faults[1].Of) != 6 || len(s.Faults[2].Of) != 0 {
		t.Errorf("left: %+v", s.Faults)
	}
	original, err := BuiltinScenario("quick")
	if err != nil {
		t.Fatal(err)
	}
	s.Seed, original.Seed = 7, 7
	planned := make(map[int]int)
	for _, p := range s.Plan() {
		planned[p.Entry]++
	}
	for _, p := range original.Plan() {
		if p.Entry != 0 && p.Entry != 2 {
			planned[p.Entry]--
		}
	}
	for entry, n := range planned {
		if n != 0 {
			t.Errorf("entry %d: %d faults more than in the scenario itself", entry, n)
		}
	}
	text, err := s.YAML()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseScenario("again", text)
	if err != nil || strings.Join(again.LeftOut, "\n") != left {
		t.Errorf("fed back: %v, %v", again.LeftOut, err)
	}
	if _, err := BuiltinScenario("quick", `cluster.endpoints=["http://127.0.0.1:2379"]`, "cluster.kind=external"); err == nil || !strings.Contains(err.Error(), "isolate-leader") {
		t.Errorf("without missing: %v", err)
	}
	allowed, err := BuiltinScenario("quick", `cluster.endpoints=["http://127.0.0.1:2379"]`, "cluster.kind=external", "missing=skip", "cluster.allow=[compact]")
	if err != nil || len(allowed.Faults[2].Of) != 1 {
		t.Errorf("what is allowed: %+v, %v", allowed.Faults[2], err)
	}
}
