package holdfast

import (
	"errors"
	"fmt"
	"path"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/faults"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/quantity"
	"github.com/etcd-holdfast/holdfast/workloads"
)

func TestEveryBuiltinScenarioIsValidAndSurvivesItsOwnYAML(t *testing.T) {
	for _, name := range BuiltinScenarios() {
		s, err := BuiltinScenario(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s.Name != path.Base(name) {
			t.Errorf("the scenario of %s.yaml is called %q", name, s.Name)
		}
		text, err := s.YAML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseScenario("complete", text)
		if err != nil {
			t.Errorf("%s, written out with every default, is refused: %v", name, err)
		}
		if !reflect.DeepEqual(s, again) {
			t.Errorf("%s changes when it is written and read:\n%+v\n%+v", name, s, again)
		}
	}
}

// Zero is a value that a user can ask for: it must not turn into a default.
func TestZerosSurviveTheirOwnYAML(t *testing.T) {
	s, err := ParseScenario("zeros", []byte(`
name: zeros
workloads:
  - {subject: rwmutex, readers: 0%, long: 0%, impatient: 0%, try: 0%, several: 0%, think: 0s}
  - {subject: election, proclaim: 0, observers: 0}
expect: {known: []}
`))
	if err != nil {
		t.Fatal(err)
	}
	if w := s.Workloads[0]; w.Readers != 0 || w.Long != 0 || w.Impatient != 0 || w.Try != 0 || w.Several != 0 || w.Think != (quantity.Span{}) {
		t.Errorf("%+v", w)
	}
	if w := s.Workloads[1]; w.Proclaim != 0 || w.Observers != 0 {
		t.Errorf("%+v", w)
	}
	if s.Expect.Known == nil || len(*s.Expect.Known) != 0 {
		t.Errorf("known: %v", s.Expect.Known)
	}
	text, err := s.YAML()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseScenario("again", text)
	if err != nil || !reflect.DeepEqual(s, again) {
		t.Errorf("%v\n%+v\n%+v", err, s, again)
	}
}

func TestAllMistakesAreNamedWithTheirLinesAtOnce(t *testing.T) {
	_, err := ParseScenario("bad.yaml", []byte(`name: "bad name!"
duration: soon
colour: red
cluster: {kind: embedded, members: 4, election: 2s}
clients: {count: 3, tll: 1s}
workloads:
  - subject: mutx
    readers: most
  - {subject: mutex, keys: 0, hold: 9ms..1ms}
  - {subject: election, ttl: 1s}
faults:
  - {every: 2s..1s, of: [isolate-leader, explode]}
  - {when: {subject: rwmutex, event: sleeping}, fault: cut-client}
expect: {known: [etcd#1], grace: 0s}
`))
	var mistakes *ScenarioError
	if !errors.As(err, &mistakes) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{
		`bad.yaml:1: name: "bad name!" is not a name`,
		"bad.yaml:2: `soon` is not a duration such as 500ms or 20s",
		"bad.yaml:3: colour: there is no such field",
		"bad.yaml:4: cluster.members: 4 is none of 1, 3, 5",
		"bad.yaml:5: clients.tll: there is no such field; here can be as, count, on-loss, ttl",
		`bad.yaml:7: workloads[0].subject: there is no subject "mutx"`,
		`bad.yaml:8: "most" is not a share such as 70%`,
		"bad.yaml:9: workloads[1].keys: 0 is not between",
		"bad.yaml:9: workloads[1].hold: 9ms..1ms is not a range that rises",
		"bad.yaml:10: workloads[2].ttl: 1s is less than the smallest that etcd honours",
		"bad.yaml:12: faults[0].every: 2s..1s is not a range that rises",
		`bad.yaml:12: faults[0].of[1]: there is no fault "explode"`,
		`bad.yaml:13: faults[1].when.event: "sleeping" is none of waiting, holding`,
		`bad.yaml:13: faults[1].when.subject: "rwmutex" has no workload`,
		`bad.yaml:14: expect.known[0]: "etcd#1" is not an issue that holdfast recognises`,
		"bad.yaml:14: expect.grace: 0s is not more than zero",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not named: %s", want)
		}
	}
	if t.Failed() {
		t.Logf("it said:\n%v", err)
	}
}

func TestMistakesInSimulatedClustersAreNamed(t *testing.T) {
	const rest = "\nworkloads: [{subject: mutex, clients: 2}, {subject: election, clients: 1, observers: 1}]\nduration: 2s\n"
	for cluster, wants := range map[string][]string{
		"{kind: sim, fsync: true, sim: {delay: 3ms..1ms, slow: 120%, slow-delay: -1s, peers: -1ms, lease-clock: 0, clocks: {c2: 11, c5: 1, bob: 1}}}": {
			"bad.yaml:2: cluster.fsync: a simulated cluster has no disk",
			"cluster.sim.delay: 3ms..1ms is not a range",
			"cluster.sim.slow: 120% is not a share",
			"cluster.sim.slow-delay: -1s is not a range",
			"cluster.sim.peers: -1ms is not a range",
			"cluster.sim.lease-clock: 0 is not between 0.1 and 10",
			"cluster.sim.clocks.c2: 11 is not between 0.1 and 10",
			`cluster.sim.clocks.c5: there is no client "c5"; there are c1 to c4`,
			`cluster.sim.clocks.bob: there is no client "bob"`,
		},
		"{kind: embedded, sim: {delay: 3ms}}": {"cluster.sim: it is of a cluster of kind sim, and this one is embedded"},
		"{kind: sim, sim: {delai: 3ms}}":      {"cluster.sim.delai: there is no such field; here can be clocks, delay,"},
	} {
		expectMistakes(t, cluster, rest, wants)
	}
	if _, err := ParseScenario("good.yaml", []byte("name: good\ncluster: {kind: sim, sim: {clocks: {c4: 1.02}}}"+rest)); err != nil {
		t.Error(err)
	}
}

// expectMistakes expects these to be named of a scenario with such a cluster, and no
// others.
func expectMistakes(t *testing.T, cluster, rest string, wants []string) {
	t.Helper()
	_, err := ParseScenario("bad.yaml", []byte("name: bad\ncluster: "+cluster+rest))
	if err == nil {
		t.Errorf("nothing is wrong with %s", cluster)
		return
	}
	for _, want := range wants {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not said of %s, but: %v", want, cluster, err)
		}
	}
	if n := strings.Count(err.Error(), "bad.yaml:"); n != len(wants) {
		t.Errorf("%d mistakes, want %d: %v", n, len(wants), err)
	}
}

func TestFilesThatAreNoScenario(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "x:1: the file is empty",
		"- a\n- b":                          "x:1: a scenario is a mapping of fields",
		"name: a\n---\nname: b":             "this is a second YAML document",
		"name: [":                           "x:1: ",
		"name: a":                           "workloads: there is none",
		"name: a\nworkloads: mutex":         "`mutex` is not a list",
		"name: a\nname: b\nworkloads: []\n": "already defined",
	} {
		if _, err := ParseScenario("x", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

func TestAssignmentsChangeAFieldOrSayWhyNot(t *testing.T) {
	s, err := BuiltinScenario("quick", "seed=9", "clients.ttl=2s", "workloads.0.hold=1ms..2ms", "faults=[]", "expect.known=[etcd#19597]", "cluster.members=5")
	if err != nil {
		t.Fatal(err)
	}
	if s.Seed != 9 || s.Workloads[0].Hold.Max != 2*time.Millisecond || len(s.Faults) != 0 || (*s.Expect.Known)[0] != "etcd#19597" || s.Cluster.Members != 5 {
		t.Errorf("%+v", s)
	}
	for _, w := range s.Workloads {
		if w.TTL != 2*time.Second {
			t.Errorf("%s has a TTL of %v: it did not take it from clients", w.Subject, w.TTL)
		}
	}
	for assignment, want := range map[string]string{
		"clients.cout=3":     "clients.cout: there is no such field",
		"workloads.99.ttl=1": `"99" is not an index of a list of 6`,
		"duration":           "an assignment is path=value",
		"duration=yes":       "is not a duration",
		"duration.x=1s":      "would be a field of a value that has none",
		"cluster.members=2":  "cluster.members: 2 is none of 1, 3, 5",
		"faults={":           "is not YAML",
		"faults.0.evry=1s":   "faults[0].evry: there is no such field",
		"clients.ttl=20s":    "quiet: 12s is too short",
	} {
		if _, err := BuiltinScenario("quick", assignment); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", assignment, err, want)
		}
	}
}

func TestSubjectsOfTheCallersOwnAreValidated(t *testing.T) {
	lock := func(*workloads.Session, string) workloads.Lock { return nil }
	s := NewScenario("own")
	s.Workloads = []Workload{NewWorkload("a")}
	s.Subjects = []workloads.Subject{
		{Name: "a", NewLock: lock}, {Name: "a", NewLock: lock}, {Name: "My Lock/1", NewLock: lock}, {Name: "mutex", NewLock: lock},
		{Name: "leases", NewLock: lock}, {Name: "none"}, {Name: "rw", NewLock: lock, Layout: history.ReadWriteKeys}, {Name: "odd", NewLock: lock, Layout: "bogus"},
	}
	s.Complete()
	err := s.Validate()
	if err == nil {
		t.Fatal("nothing is wrong")
	}
	for _, want := range []string{
		`Subjects[1].Name: "a" is the name of something else`, `Subjects[2].Name: "My Lock/1" is not a name`,
		`Subjects[3].Name: "mutex" is the name`, `Subjects[4].Name: "leases" is the name`, `Subjects[5]: "none" has 0 of the constructors`,
		`Subjects[6].Layout: "read-write-keys" is of read-write locks`, `Subjects[7].Layout: there is no layout "bogus"`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not named: %s\n%v", want, err)
		}
	}
}

func TestFaultsThatTheClusterCannotHaveAreRefused(t *testing.T) {
	s := NewScenario("one")
	s.Cluster.Members = 1
	s.Workloads = []Workload{NewWorkload("mutex")}
	s.Faults = []Fault{{Of: []string{"split"}}}
	s.Complete()
	if err := s.Validate(); err == nil || !strings.Contains(err.Error(), "split: it needs at least 3 members, and the cluster has 1") {
		t.Errorf("got %v", err)
	}
}

func TestThePlanIsAFunctionOfTheSeed(t *testing.T) {
	plan := func(seed int64, change func(*Scenario)) []faults.Planned {
		s, err := BuiltinScenario("quick")
		if err != nil {
			t.Fatal(err)
		}
		s.Seed = seed
		change(&s)
		return s.Plan()
	}
	same := func(*Scenario) {}
	if !reflect.DeepEqual(plan(1, same), plan(1, same)) {
		t.Error("one seed, two plans")
	}
	if reflect.DeepEqual(plan(1, same), plan(2, same)) {
		t.Error("two seeds, one plan")
	}
	more := plan(1, func(s *Scenario) {
		s.Faults = append(s.Faults, Fault{Of: []string{"compact"}, Every: quantity.Span{Min: time.Second, Max: time.Second}})
	})
	if n := len(plan(1, same)); !reflect.DeepEqual(plan(1, same), more[:n]) || len(more) == n {
		t.Error("adding an entry changed the faults of the entries before it")
	}
}

func TestClientDecisionsAreAFunctionOfTheSeedAndTheClient(t *testing.T) {
	traffic := workloads.DefaultTraffic()
	draw := func(seed int64, client string) []workloads.Decision {
		decide := workloads.Decisions(seed, client, &traffic)
		var decisions []workloads.Decision
		for range 100 {
			decisions = append(decisions, decide())
		}
		return decisions
	}
	if !reflect.DeepEqual(draw(1, "c1"), draw(1, "c1")) {
		t.Error("the same client of the same seed decides differently")
	}
	if reflect.DeepEqual(draw(1, "c1"), draw(1, "c2")) || reflect.DeepEqual(draw(1, "c1"), draw(2, "c1")) {
		t.Error("different clients or seeds decide alike")
	}
}

func TestTriggersSurviveTheirOwnYAML(t *testing.T) {
	s, err := ParseScenario("triggers", []byte(`
name: triggers
workloads: [{subject: mutex}, {subject: election}]
faults:
  - {when: {subject: mutex, event: waiting}, fault: cut-client}
  - {when: {subject: [mutex, election], client: B, event: answer Txn, nth: 2, after: signal go}, fault: lose-answer, for: 5s, until: signal heal, times: 2}
  - {when: {subject: election, event: lease-ended}, fault: compact}
`))
	if err != nil {
		t.Fatal(err)
	}
	first, second := s.Faults[0], s.Faults[1]
	if first.When.Longer != 100*time.Millisecond || first.When.Nth != 1 || second.When.Longer != 0 || second.When.Nth != 2 || second.Until != "signal heal" || len(second.When.Subject) != 2 {
		t.Errorf("%+v, %+v", first.When, second.When)
	}
	text, err := s.YAML()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseScenario("again", text)
	if err != nil || !reflect.DeepEqual(s, again) {
		t.Errorf("%v\n%+v\n%+v\n%s", err, s, again, text)
	}
	// An entry of two subjects is carried out for each.
	var got []string
	for _, p := range s.Plan() {
		got = append(got, fmt.Sprintf("%d %s %s", p.Entry, p.Kind, p.Subject))
	}
	want := []string{"0 cut-client mutex", "1 lose-answer mutex", "1 lose-answer mutex", "1 lose-answer election", "1 lose-answer election", "2 compact election"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
}

func TestMistakesInTriggersAreNamed(t *testing.T) {
	_, err := ParseScenario("bad.yaml", []byte(`name: bad
workloads: [{subject: mutex, clients: 2}, {subject: election, clients: 2, observers: 1}]
faults:
  - {when: {subject: mutex, event: ok aquire}, fault: cut-client}
  - {when: {subject: mutex, event: request Defragment}, fault: cut-client}
  - {when: {subject: mutex, event: crash, longer: 1s}, fault: compact}
  - {when: {subject: mutex, event: crash, after: holding}, fault: compact}
  - {when: {subject: mutex, event: crash, nth: -1}, fault: compact}
  - {when: {subject: mutex, event: crash, client: C}, fault: compact}
  - {when: {subject: election, event: crash, client: leader}, fault: compact}
  - {when: {subject: [mutex, locker, mutex], event: crash}, fault: compact}
  - {when: {event: crash}, fault: compact}
  - {when: {subject: mutex, event: crash}, fault: cut-client, until: waiting}
  - {when: {subject: mutex, event: crash}, fault: compact, until: signal x}
  - {every: 2s, fault: cut-client, until: signal x}
  - {when: {subject: mutex, event: crash, clients: B}, fault: compact}
  - {when: {subject: {mutex: 1}, event: crash}, fault: compact}
`))
	if err == nil {
		t.Fatal("nothing is wrong")
	}
	for _, want := range []string{
		`bad.yaml:4: faults[0].when.event: "ok aquire": there is no operation "aquire"; there are: acquire, try-acquire`,
		`bad.yaml:5: faults[1].when.event: "request Defragment": there is no call "Defragment"; there are: Put, Range`,
		`bad.yaml:6: faults[2].when.longer: only waiting and holding last; crash happens at an instant`,
		`bad.yaml:7: faults[3].when.after: holding is a state`,
		`bad.yaml:8: faults[4].when.nth: -1 is less than 1`,
		`bad.yaml:9: faults[5].when.client: "C" is no client of mutex: its 2 clients are A to B`,
		`bad.yaml:10: faults[6].when.client: "leader" is no client of election: its 3 clients are A to C`,
		`bad.yaml:11: faults[7].when.subject[1]: "locker" has no workload in this scenario; these have: mutex, election`,
		`bad.yaml:11: faults[7].when.subject[2]: "mutex" is named twice`,
		`bad.yaml:12: faults[8].when.subject: it names no subject; these have a workload: mutex, election`,
		`bad.yaml:13: faults[9].until: waiting is a state`,
		`bad.yaml:14: faults[10].until: there is nothing to heal: compact takes no time`,
		`bad.yaml:15: faults[11].until: it belongs to a fault with when`,
		`bad.yaml:16: faults[12].when.clients: there is no such field; here can be after, client, event, longer, nth, subject`,
		"bad.yaml:17: ",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not named: %s", want)
		}
	}
	if t.Failed() {
		t.Logf("it said:\n%v", err)
	}
}

// What a cluster cannot show is refused before anything starts.
func TestMessagesOfAClusterWithoutLinksAreRefused(t *testing.T) {
	s := NewScenario("unlinked")
	s.Workloads = []Workload{NewWorkload("mutex")}
	s.Faults = []Fault{
		{Of: []string{"compact"}, When: &faults.Trigger{Subject: faults.Names{"mutex"}, Event: "answer Txn"}},
		{Of: []string{"compact"}, When: &faults.Trigger{Subject: faults.Names{"mutex"}, Event: "ok acquire", After: "request Txn"}},
		{Of: []string{"compact"}, When: &faults.Trigger{Subject: faults.Names{"mutex"}, Event: "ok acquire"}},
	}
	s.Complete()
	var got []string
	wrong := func(field, format string, args ...any) { got = append(got, field+": "+fmt.Sprintf(format, args...)) }
	for i, f := range s.Faults {
		s.triggeredMistakes(fmt.Sprintf("faults[%d]", i), f, faults.Capabilities{Kind: "bare", Members: 3}, wrong)
	}
	if len(got) != 2 || !strings.HasPrefix(got[0], "faults[0].when.event: answer Txn: it needs links") || !strings.HasPrefix(got[1], "faults[1].when.after: request Txn: it needs links") {
		t.Errorf("%q", got)
	}
}
