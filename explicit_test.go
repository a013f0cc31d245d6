package holdfast

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/etcd-holdfast/holdfast/faults"
	"github.com/etcd-holdfast/holdfast/quantity"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// What is written out is the same scenario, with any seed. Entries are numbered
// anew, as each fault has its own; which faults follow one another is kept.
func TestExplicitScenariosDoTheSameWithAnySeed(t *testing.T) {
	for _, name := range BuiltinScenarios() {
		s, err := BuiltinScenario(name)
		if err != nil {
			t.Fatal(err)
		}
		s.Seed = 11
		checkExplicit(t, s)
	}
	torture := TortureScenario(AllSubjects()[:3]...)
	torture.Seed = 5
	checkExplicit(t, torture)
	rapid.Check(t, func(t *rapid.T) { checkExplicit(t, anyScenario(t)) })
}

type failer interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

func checkExplicit(t failer, s Scenario) {
	t.Helper()
	whole := s.completed()
	if err := whole.Validate(); err != nil {
		t.Fatalf("%v", err)
	}
	rounds := map[string]int{"c1": 5, "c1.1": 2, "c2": 0, "c4": 7, "c999": 3}
	text, err := yamlOf(s.Explicit(rounds))
	if err != nil {
		t.Fatalf("%v", err)
	}
	x, err := ParseScenario("explicit", []byte(text))
	if err != nil {
		t.Fatalf("%s is refused when it is written out: %v\n%s", s.Name, err, text)
	}
	if again, err := yamlOf(x); err != nil || again != text {
		t.Errorf("%s changes when it is read and written: %v\n%s\n%s", s.Name, err, text, again)
	}
	if again := x.Explicit(rounds); !reflect.DeepEqual(again, x) {
		t.Errorf("%s changes when it is written out again:\n%+v\n%+v", s.Name, x, again)
	}
	x.Seed += 1000
	want, got := s.Plan(), x.Plan()
	if len(x.Faults) != len(want) {
		t.Errorf("%s: %d entries for %d faults", s.Name, len(x.Faults), len(want))
	}
	if a, b := x.survivable(got), s.survivable(want); !reflect.DeepEqual(bare(a), bare(b)) {
		t.Errorf("%s: what survives differs: %+v, %+v", s.Name, a, b)
	}
	if a, b := chains(want), chains(got); !reflect.DeepEqual(a, b) {
		t.Errorf("%s: these follow one another: %v, and written out: %v", s.Name, a, b)
	}
	for i := range want {
		got[i].Entry = want[i].Entry
		if got[i].When != nil && want[i].When != nil {
			a, b := *got[i].When, *want[i].When
			a.Subject, b.Subject = nil, nil // each fault names its own
			got[i].When, want[i].When = &a, &b
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s, seed %d: another plan\n%+v\n%+v", s.Name, s.Seed, want, got)
	}
	for i := range x.Workloads {
		drawn, written := &whole.Workloads[i].Traffic, &x.Workloads[i].Traffic
		if len(drawn.Script) > 0 {
			if written.Rounds != nil {
				t.Errorf("%s: a script has rounds", s.Name)
			}
			continue
		}
		total := 0
		slots := whole.slotsOf(i)[:drawn.Clients]
		for client, n := range rounds {
			if slot, _, _ := strings.Cut(client, "."); !slices.Contains(slots, slot) {
				n = 0
			}
			decide, replay := workloads.Planned(s.Seed, client, drawn), workloads.Planned(x.Seed, client, written)
			for range n {
				a, _ := decide()
				b, more := replay()
				if !more || !reflect.DeepEqual(a, b) {
					t.Errorf("%s, seed %d: %s decides %+v, and written out %+v", s.Name, s.Seed, client, a, b)
				}
			}
			if _, more := replay(); more {
				t.Errorf("%s: %s makes more than %d rounds", s.Name, client, n)
			}
			total += n
		}
		if written.Rounds == nil {
			t.Errorf("%s: the rounds of %s are still drawn", s.Name, x.Workloads[i].Subject)
		}
		for client, lines := range written.Rounds {
			total -= len(lines)
			if len(lines) == 0 {
				t.Errorf("%s has an empty list", client)
			}
		}
		if total != 0 {
			t.Errorf("%s: %d rounds are missing", s.Name, total)
		}
	}
}

func yamlOf(s Scenario) (string, error) {
	text, err := s.YAML()
	return string(text), err
}

// bare leaves out choices that nothing is drawn by.
func bare(plan []planned) []planned {
	plan = slices.Clone(plan)
	faults.Resolve(plan, nil)
	return plan
}

// chains lists the IDs of the faults that follow one another.
func chains(plan []planned) [][]int64 {
	type chain struct {
		entry   int
		subject string
	}
	by := make(map[chain][]int64)
	for _, p := range plan {
		key := chain{p.Entry, p.Subject}
		by[key] = append(by[key], p.ID)
	}
	return slices.SortedFunc(maps.Values(by), func(a, b []int64) int { return int(a[0] - b[0]) })
}

// anyScenario draws a scenario with faults of every kind, timed and triggered.
func anyScenario(t *rapid.T) Scenario {
	s := NewScenario("any")
	s.Seed = rapid.Int64Range(1, 1<<40).Draw(t, "seed")
	s.Duration = time.Duration(rapid.IntRange(2, 30).Draw(t, "duration")) * time.Second
	subjects := []string{"mutex", "election", "rwmutex-checked", "queue", "bank-serializable"}
	for _, name := range AllSubjects() {
		if name.Name == "semaphore" {
			subjects = append(subjects, name.Name)
		}
	}
	subjects = slices.DeleteFunc(subjects, func(name string) bool { _, ok := s.subject(name); return !ok })
	for _, name := range subjects[:rapid.IntRange(1, len(subjects)).Draw(t, "subjects")] {
		w := NewWorkload(name)
		w.Clients = rapid.IntRange(1, 4).Draw(t, "clients")
		w.KeepSession = quantity.Share(rapid.SampledFrom([]float64{0, 0.5, 1}).Draw(t, "keep"))
		s.Workloads = append(s.Workloads, w)
	}
	span := func(name string) quantity.Span {
		low := time.Duration(rapid.Int64Range(int64(10*time.Millisecond), int64(2*time.Second)).Draw(t, name))
		return quantity.Span{Min: low, Max: low + time.Duration(rapid.Int64Range(0, int64(3*time.Second)).Draw(t, name+" more"))}
	}
	var kinds []string
	b, _ := backendOf("embedded")
	for _, k := range faults.Kinds() {
		if k.Unsupported(b.capabilities(ClusterSpec{Members: 3})) == nil { // some are for simulated clusters only
			kinds = append(kinds, k.Name)
		}
	}
	for range rapid.IntRange(0, 4).Draw(t, "entries") {
		f := Fault{Of: rapid.SliceOfN(rapid.SampledFrom(kinds), 1, 4).Draw(t, "of"), For: span("for")}
		if rapid.Bool().Draw(t, "timed") {
			f.Every, f.Peace = span("every"), rapid.SampledFrom([]time.Duration{0, 300 * time.Millisecond}).Draw(t, "peace")
		} else {
			event := rapid.SampledFrom([]string{"waiting", "holding", "crash", "answer Txn"}).Draw(t, "event")
			f.When = &faults.Trigger{Subject: rapid.SliceOfNDistinct(rapid.SampledFrom(s.workloadSubjects()), 1, len(s.Workloads), rapid.ID[string]).Draw(t, "when"), Event: event}
			f.Times = rapid.IntRange(1, 4).Draw(t, "times")
			if event == "waiting" || event == "holding" {
				f.Rest, f.Peace = span("rest"), rapid.SampledFrom([]time.Duration{0, time.Second}).Draw(t, "calm")
			}
			if rapid.Bool().Draw(t, "heals") && lasts(f.Of) {
				f.Until = "signal heal"
			}
		}
		s.Faults = append(s.Faults, f)
	}
	if rapid.Bool().Draw(t, "survivable") {
		s.Survivable = []string{"crash-member"}
	}
	return s.completed()
}

const writtenOut = `
name: written
duration: 10s
quiet: 12s
workloads:
  - subject: mutex
    clients: 2
    rounds:
      c1: ["0,1 hold 120ms guard think 3ms patience 9s", 0 try hold 5ms]
      c1.1: [1 impatient 300ms cancel]
  - {subject: election, clients: 2, observers: 0, rounds: {}}
faults:
  - {at: 1.204s, for: 2.5s, fault: cut-client, on: c2}
  - {at: 2s, for: 1s, fault: cut-client-partly, on: c4, choice: 7, chain: 1}
  - {at: 4s, for: 1s, fault: split, choice: 18446744073709551615, chain: 1}
  - {at: 0s, fault: crash-client, on: c1}
  - {when: {subject: mutex, event: waiting}, fault: cut-client, for: 1s, rest: 500ms, choice: 3, chain: 2}
  - {when: {subject: mutex, event: waiting}, fault: crash-member, for: 1s, choice: 4, chain: 2}
survivable: [crash-member 9]
`

func TestAScenarioThatIsWrittenOutIsAnOrdinaryOne(t *testing.T) {
	s, err := ParseScenario("written.yaml", []byte(writtenOut))
	if err != nil {
		t.Fatal(err)
	}
	text, err := yamlOf(s)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseScenario("again", []byte(text))
	if err != nil || !reflect.DeepEqual(s, again) {
		t.Errorf("%v\n%+v\n%+v\n%s", err, s, again, text)
	}
	// That nobody makes rounds is not that rounds are drawn.
	if r := again.Workloads[1].Rounds; r == nil || len(r) != 0 {
		t.Errorf("%#v", r)
	}
	var got []string
	for _, p := range s.Plan() {
		got = append(got, fmt.Sprintf("%d %s, entry %d, choice %d", p.ID, p, p.Entry, p.Choice))
	}
	want := []string{
		"1 cut-client of c2 for 2.5s at 1.204s, entry 0, choice 0",
		"2 cut-client-partly of c4 for 1s at 2s, entry 1, choice 7",
		"3 split for 1s at 4s, entry 1, choice 18446744073709551615",
		"4 crash-client of c1 for 0s at 0s, entry 3, choice 0",
		"5 cut-client for 1s when a client of mutex is waiting for longer than 100ms, entry 4, choice 0",
		"6 crash-member for 1s when a client of mutex is waiting for longer than 100ms, entry 4, choice 4",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
	if p := s.survivable(s.Plan()); len(p) != 1 || p[0].ID != 7 || p[0].Kind != "crash-member" || p[0].Choice != 9 {
		t.Errorf("%+v", p)
	}
}

func TestTheExampleOfTheDocsIsAScenario(t *testing.T) {
	page, err := os.ReadFile("docs/scenarios.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, found := strings.Cut(string(page), "```yaml\nname: written-out\n")
	example, _, _ = strings.Cut(example, "```")
	s, err := ParseScenario("docs/scenarios.md", []byte("name: written-out\n"+example))
	if !found || err != nil || len(s.Plan()) != 5 {
		t.Errorf("%t, %v", found, err)
	}
}

func TestMistakesInWhatIsWrittenOutAreNamed(t *testing.T) {
	_, err := ParseScenario("bad.yaml", []byte(`name: bad
duration: 10s
workloads:
  - subject: mutex
    clients: 2
    rounds:
      c1:
        - 0
        - 0 fly
      c1.1:
        - 0
        - 2 hold 1ms
      c1.01: [0]
      c3: [0]
  - {subject: election, clients: 1, observers: 1, script: [A campaign x], rounds: {c4: [0]}}
  - {subject: locker, clients: 1, rounds: [0]}
faults:
  - {at: 10s, for: 1s, fault: split}
  - {at: -1s, for: 1s, fault: split}
  - {at: 1s, for: 1s, of: [split, bridge]}
  - {at: 1s, for: 1s, fault: split, every: 2s}
  - {at: 1s, for: 1s, fault: cut-client, when: {subject: mutex, event: crash}}
  - {at: 1s, for: 1s, fault: split, times: 2}
  - {at: 1s, for: 1s, fault: split, peace: 1s}
  - {at: 1s, for: 1s, fault: split, rest: 1s}
  - {at: 1s, for: 1s, fault: split, until: signal x}
  - {at: 1s, fault: split}
  - {at: 1s, for: 1s..2s, fault: split}
  - {at: 1s, for: 1s, fault: split, on: c1}
  - {at: 1s, for: 1s, fault: cut-client, on: c9}
  - {at: 1s, for: 1s, fault: cut-client, on: c1.1}
  - {every: 1s, fault: cut-client, on: c1}
  - {when: {subject: mutex, event: crash}, fault: cut-client, on: c1}
  - {every: 1s, fault: split, choice: 3}
  - {when: {subject: mutex, event: crash}, of: [split, bridge], choice: 3}
  - {when: {subject: mutex, event: crash}, fault: split, times: 2, choice: 3}
  - {at: 1s, for: 1s, fault: split, choice: -3}
  - {at: 1s, for: 1s, fault: split, chain: -1}
  - {every: 1s, fault: split, chain: 1}
  - {at: 2s, for: 1s, fault: split, chain: 2}
  - {at: 1s, for: 1s, fault: split, chain: 2}
  - {when: {subject: mutex, event: crash}, fault: split, chain: 2}
  - {when: {subject: mutex, event: crash}, fault: split, chain: 3, until: signal a}
  - {when: {subject: mutex, event: crash, nth: 2}, fault: split, chain: 3}
  - {when: {subject: mutex, event: crash}, fault: split, chain: 4, until: signal a}
  - {when: {subject: mutex, event: crash}, fault: compact, chain: 4}
  - {when: {subject: mutex, event: crash}, fault: split, chain: 4, until: signal b}
survivable: [crash-member x]
`))
	if err == nil {
		t.Fatal("nothing is wrong")
	}
	for _, want := range []string{
		`bad.yaml:9: workloads[0].rounds.c1[1]: "fly" is nothing that a round can say`,
		`bad.yaml:12: workloads[0].rounds.c1.1[1]: there is no object 2: the workload has keys: 2`,
		`bad.yaml:13: workloads[0].rounds.c1.01: "c1.01" is no client that makes rounds of mutex: these are c1 to c2 and those that replace them, such as c1.1`,
		`bad.yaml:14: workloads[0].rounds.c3: "c3" is no client`,
		`bad.yaml:15: workloads[1].rounds: there is a script; clients do one or the other`,
		`bad.yaml:15: workloads[1].rounds.c4: "c4" is no client`,
		`bad.yaml:16: `,
		`bad.yaml:18: faults[0].at: 10s is not within the 10s of load`,
		`bad.yaml:19: faults[1].at: -1s is not within`,
		`bad.yaml:20: faults[2].of: a fault with at is one fault, and these are 2`,
		`bad.yaml:21: faults[3].every: a fault with at happens once, at that time; it cannot have every`,
		`bad.yaml:22: faults[4].when: a fault with at happens once`,
		`bad.yaml:23: faults[5].times: a fault with at`,
		`bad.yaml:24: faults[6].peace: a fault with at`,
		`bad.yaml:25: faults[7].rest: a fault with at`,
		`bad.yaml:26: faults[8].until: a fault with at`,
		`bad.yaml:27: faults[9].for: it has to say how long the fault lasts, as in for: 2s`,
		`bad.yaml:28: faults[10].for: 1s..2s is a range, and nothing of this fault is drawn`,
		`bad.yaml:29: faults[11].on: split hits no client; what it hits is decided by choice`,
		`bad.yaml:30: faults[12].on: there is no client "c9"; there are c1 to c4`,
		`bad.yaml:31: faults[13].on: there is no client "c1.1"`,
		`bad.yaml:32: faults[14].on: it belongs to a fault with at; a timed one hits whoever is drawn`,
		`bad.yaml:33: faults[15].on: it belongs to a fault with at; a triggered one hits whom its moment is of`,
		`bad.yaml:34: faults[16].choice: it belongs to one fault, with at or when`,
		`bad.yaml:35: faults[17].choice: it belongs to one fault; an entry with it has one kind, and times 1`,
		`bad.yaml:36: faults[18].choice: it belongs to one fault; an entry`,
		"bad.yaml:37: `-3` is not a whole number from 0",
		`bad.yaml:38: faults[20].chain: -1 is less than 1`,
		`bad.yaml:39: faults[21].chain: it belongs to faults with at or when`,
		`bad.yaml:41: faults[23].chain: at 1s is before faults[22], at 2s, which it follows`,
		`bad.yaml:42: faults[24].chain: faults[23] is of the same chain, and only one of the two has at`,
		`bad.yaml:44: faults[26].chain: faults[25] is of the same chain, and waits for something else`,
		`bad.yaml:47: faults[29].chain: faults[27] is of the same chain, and is healed by something else`,
		`bad.yaml:48: survivable[0]: "x" is not a number that chooses whom crash-member hits`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not named: %s", want)
		}
	}
	if n := strings.Count(err.Error(), "bad.yaml:"); n != 34 {
		t.Errorf("%d mistakes", n)
	}
	if t.Failed() {
		t.Logf("it said:\n%v", err)
	}
}
