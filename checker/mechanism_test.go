package checker

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/etcd-holdfast/holdfast/history"
)

// mechanismsOf are the mechanisms that runs with a planted bug show.
func mechanismsOf(t *testing.T, primitive history.Primitive, bug string, runs uint64) map[string]int {
	t.Helper()
	shown := make(map[string]int)
	for seed := range runs {
		var h *history.History
		if slices.Contains(meetingPrimitives(), primitive) {
			g := gather(seed, primitive, bug, true)
			h = g.until(g.h.End)
		} else {
			s := simulateBug(seed, primitive, bug)
			n := len(s.records)
			h = s.cut(n, n, s.layout())
		}
		result := Check(h, Options{Unconfirmed: true})
		told, listed := 0, 0
		for i := range result.Properties {
			p := &result.Properties[i]
			told += len(p.Violations)
			for k := range p.Violations {
				wellNamed(t, p, &p.Violations[k])
			}
		}
		for i, b := range result.Mechanisms() {
			listed += b.Count
			shown[b.Mechanism] += b.Count
			if i > 0 && result.Mechanisms()[i-1].Excused && !b.Excused {
				t.Errorf("seed %d: %s comes after what is excused", seed, b.Mechanism)
			}
		}
		if told != listed {
			t.Errorf("seed %d: %d violations are told and %d listed", seed, told, listed)
		}
	}
	return shown
}

var digits = regexp.MustCompile(`[0-9]`)

// wellNamed: a mechanism has a cause and a call, and nothing of the run.
func wellNamed(t *testing.T, p *Property, v *Violation) {
	t.Helper()
	name := Mechanism(p, v)
	ofRun := strings.TrimSuffix(name, "("+v.Known+")")
	nobodys := v.Call == "" && len(v.Witness) == 0 // the store was changed by no call
	if v.Cause == "" || v.Call == "" && !nobodys || digits.MatchString(ofRun) || strings.Contains(ofRun, "%") || strings.Contains(ofRun, "\n") {
		t.Errorf("mechanism %q of %s: %+v", name, p.Property, v)
	}
	if v.Blame == BlameLease && !strings.Contains(name, " lease ") || v.Known != "" && !strings.Contains(name, v.Known) {
		t.Errorf("mechanism %q does not say what excuses it: %+v", name, v)
	}
}

// TestMechanisms: what a planted bug shows, by its mechanisms.
func TestMechanisms(t *testing.T) {
	for _, c := range []struct {
		bug       string
		primitive history.Primitive
		want      []string
	}{
		{winsWithoutKey, history.Election, []string{
			"election ownership library campaign: lease ended while waiting (etcd#19597)",
			"election exclusion library campaign: after a false success: lease ended while waiting (etcd#19597)",
		}},
		{winsWithoutKey, history.RWMutex, []string{"rwmutex ownership library acquire: lease ended while waiting (etcd#16221)"}},
		{winsWithoutKey, history.Mutex, []string{"mutex ownership library acquire: lease ended while waiting"}},
		{twoOwners, history.Mutex, []string{
			"mutex ownership library acquire: told before its turn",
			"mutex exclusion library acquire: after a false success: told before its turn",
			"mutex exclusion lease acquire: lease ended while held (session-done-late)",
			"mutex order library acquire: overtook an older key, after a false success: told before its turn",
		}},
		{lazyRelease, history.Mutex, []string{"mutex leftovers library release: its key is still there"}},
		{lazyClose, history.Mutex, []string{"mutex leftovers library close-session: its key is still there"}},
		{believesStaleTokens, history.Mutex, []string{"mutex fencing library fenced-write: token accepted after a higher one"}},
		{staleReads, history.Election, []string{"election linearizable server leader: older than the last change"}},
		{observesHalf, history.Election, []string{"election observe library observe: final leader not delivered"}},
		{endsSilently, history.Election, []string{"election observe library observe: ended by itself after a compaction (etcd#18163)"}},
		{forgetsReleases, history.Election, []string{"election leftovers library resign: its key is still there, after an attempt that failed (etcd#22123)"}},
		{immortalLeases, history.Mutex, []string{"mutex progress library acquire: never finished after the heal, with no holder"}},
		{givesTwice, history.Queue, []string{"queue delivery library dequeue: returned what another had"}},
		{loses, history.Queue, []string{"queue delivery library enqueue: acknowledged, and key deleted with no dequeue"}},
		{neverPuts, history.Queue, []string{"queue delivery server enqueue: acknowledged, and its key was never there"}},
		{reorders, history.PriorityQueue, []string{"priority-queue linearizable library dequeue: no order of the calls keeps the rules of a priority-queue"}},
		{passesClosed, history.Barrier, []string{"barrier passage library pass: passed while it was closed"}},
		{entersGone, history.DoubleBarrier, []string{"double-barrier passage library enter: lease ended while waiting (double-barrier-enters-without-key)"}},
		{leavesBehind, history.DoubleBarrier, []string{"double-barrier passage library leave: left while another was in"}},
	} {
		t.Run(fmt.Sprint(c.bug, " ", c.primitive), func(t *testing.T) {
			shown := mechanismsOf(t, c.primitive, c.bug, 150)
			for _, want := range c.want {
				if shown[want] == 0 {
					t.Errorf("not shown: %q; but %q", want, slices.Sorted(maps.Keys(shown)))
				}
			}
			if len(shown) > 30 {
				t.Errorf("%d mechanisms of one bug: %q", len(shown), slices.Sorted(maps.Keys(shown)))
			}
		})
	}
}

// TestMechanismsOfTheStore: what goes wrong in banks and registers has mechanisms
// too, and no two planted bugs show the same ones.
func TestMechanismsOfTheStore(t *testing.T) {
	of := make(map[string]map[string]bool)
	add := func(bug string, h *history.History) {
		for _, p := range Check(h, Options{Unconfirmed: true}).Properties {
			for k := range p.Violations {
				wellNamed(t, &p, &p.Violations[k])
				if of[bug] == nil {
					of[bug] = make(map[string]bool)
				}
				of[bug][Mechanism(&p, &p.Violations[k])] = true
			}
		}
	}
	for seed := range uint64(30) {
		for _, bug := range bankBugs {
			if h := simulateBank(seed, history.SerializableSnapshot, bug); h != nil {
				add(bug, h)
			}
		}
		if h, wrong := registerRun(seed, ""); wrong {
			add("wrong reads", h)
		}
	}
	bugs := make(map[string]string)
	for _, bug := range append(slices.Clone(bankBugs), "wrong reads") {
		shown := strings.Join(slices.Sorted(maps.Keys(of[bug])), "\n")
		if other, ok := bugs[shown]; ok || shown == "" {
			t.Errorf("%s shows what %q shows: %q", bug, other, shown)
		}
		bugs[shown] = bug
	}
}

// TestMechanismsOfAResult: one entry for each mechanism, the worst first, with
// its worst violation.
func TestMechanismsOfAResult(t *testing.T) {
	violation := func(blame Blame, known, cause, object string) Violation {
		return Violation{Blame: blame, Known: known, Call: history.Acquire, Cause: cause, Object: object}
	}
	result := &Result{Properties: []Property{
		{Subject: "a", Primitive: history.Mutex, Property: Exclusion, Verdict: Violated, Violations: []Violation{
			violation(BlameLibrary, "", "both rest on one key", "first"),
			violation(BlameLibrary, "", "both rest on one key", "second"),
			violation(BlameLibrary, "etcd#1", "key deleted while held", "third"),
			violation(BlameLease, "", "lease ended while held", "fourth"),
		}},
		{Subject: "b", Primitive: history.Mutex, Property: Exclusion, Verdict: Violated, Violations: []Violation{
			violation(BlameLibrary, "", "both rest on one key", "fifth"),
		}},
		{Subject: sessions, Property: Contract, Verdict: Violated, Violations: []Violation{{Blame: BlameLibrary, Cause: "returned late"}}},
		{Subject: "b", Primitive: history.Mutex, Property: Order, Verdict: Holds},
	}}
	var got []string
	for _, b := range result.Mechanisms() {
		got = append(got, fmt.Sprintf("%d %v %s %s %s %s", b.Count, b.Excused, b.Subject, b.Property, b.Violation.Object, b.Mechanism))
	}
	want := []string{
		"3 false a exclusion first mutex exclusion library acquire: both rest on one key",
		"1 false sessions contract  sessions contract library: returned late",
		"1 true a exclusion third mutex exclusion library acquire: key deleted while held (etcd#1)",
		"1 true a exclusion fourth mutex exclusion lease acquire: lease ended while held",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
