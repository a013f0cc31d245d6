package checker

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// TestNotes: what limits a result is said in plain words.
func TestNotes(t *testing.T) {
	h := &history.History{End: 1500 * time.Millisecond, Faults: []history.Fault{
		{Kind: "split"}, {Kind: "cut-client", Verified: true}, {Kind: "cut-client"}, {Kind: "cut-client"},
	}}
	notes := strings.Join(Check(h, Options{}).Notes, "\n")
	for _, want := range []string{
		"cut short at 1.500 s", "no revision log",
		"2 of 3 cut-client faults had no effect", "1 of 1 split fault had no effect",
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes lack %q:\n%s", want, notes)
		}
	}
	h.Revisions = history.NewRevisionLog(1, 0, nil, nil, nil, []history.Gap{{From: 5, Through: 7}})
	if notes := strings.Join(Check(h, Options{}).Notes, "\n"); !strings.Contains(notes, "revisions 5 through 7") {
		t.Errorf("notes lack the gap:\n%s", notes)
	}
}

// TestUnfired: a run in which a planned moment never came is at best vacuous,
// and says whose; one that came fewer times than planned is not told of.
func TestUnfired(t *testing.T) {
	fired := history.Fault{Kind: "cut-client", Verified: true, Entry: 1, When: "a client of mutex: answer Txn, 1st"}
	again := history.Fault{Kind: "stall-client", Unfired: true, Entry: 1, When: fired.When}
	other := history.Fault{Kind: "cut-client", Unfired: true, Entry: 3, When: "client B of mutex: answer Txn, 1st"}
	for _, test := range []struct {
		faults []history.Fault
		want   string
		unmet  int
	}{
		{[]history.Fault{fired}, "", 0},
		{[]history.Fault{again, fired}, "", 0},
		{[]history.Fault{fired, again, other}, "fault 3 (cut-client when client B of mutex: answer Txn, 1st) never had its moment", 1},
		{[]history.Fault{again}, "fault 1 (stall-client when a client of mutex: answer Txn, 1st) never had its moment", 1},
		{[]history.Fault{{Kind: "split", Verified: true}, {Kind: "split"}}, "", 0},
	} {
		h := &history.History{Faults: test.faults}
		r := index(h, Options{})
		if got := strings.Join(r.notes(), "\n"); strings.Contains(got, "never had its moment") != (test.unmet > 0) || !strings.Contains(got, test.want) {
			t.Errorf("notes %q, want %q", got, test.want)
		}
		if got := Check(h, Options{}).Unfired; len(got) != test.unmet {
			t.Errorf("%+v: unfired %q", test.faults, got)
		}
		kept := &Result{Properties: []Property{{Verdict: Holds}}}
		if got := r.overall(kept); (got == Vacuous) != (test.unmet > 0) || got != Vacuous && got != Holds {
			t.Errorf("%+v: %s", test.faults, got)
		}
		broken := &Result{Properties: []Property{{Verdict: Violated, Violations: []Violation{{}}}}}
		if got := r.overall(broken); got != Violated {
			t.Errorf("%+v: %s", test.faults, got)
		}
		undecided := &Result{Properties: []Property{{Verdict: Unknown}}}
		if got := r.overall(undecided); got != Unknown {
			t.Errorf("%+v: %s", test.faults, got)
		}
	}
}

// TestStoredViolations: many violations are all counted and some are told,
// those that fail the run first.
func TestStoredViolations(t *testing.T) {
	h := &history.History{Header: history.Header{Subjects: []history.SubjectInfo{{Name: "x", Primitive: history.Mutex}}}}
	for i := range 1000 {
		c := fmt.Sprint("c", i%2)
		start := time.Duration(i) * time.Second
		h.Operations = append(h.Operations, history.Operation{ID: int64(i + 1), Client: c, Subject: "x", Object: "a", Kind: history.Acquire, Call: start, Return: start, Outcome: history.Ok, Lease: int64(1 + i%2)})
		if i%2 == 1 {
			h.Operations[i-1].Lease = 3
		}
	}
	h.End = 1000 * time.Second
	h.Events = []history.Event{{Kind: history.Lost, Client: "c0", Lease: 3, Time: 0}}
	p := Check(h, Options{}).Properties[0]
	if p.Property != Exclusion || p.Figures["overlaps"] < 1000 || len(p.Violations) != storedViolations {
		t.Fatalf("%s: %v overlaps, %d stored", p.Property, p.Figures["overlaps"], len(p.Violations))
	}
	if p.Violations[0].Blame != BlameSubject {
		t.Error("an overlap that a lease explains is told first")
	}
}

// TestDeterministic: the same history gives the same bytes.
func TestDeterministic(t *testing.T) {
	for seed := range uint64(20) {
		s := simulate(seed, primitives[seed%3])
		n := len(s.records)
		h := s.cut(n, n, s.layout())
		for i := range h.Operations { // some lies, so that there is much to tell
			if h.Operations[i].Kind.Acquires() && i%3 == 0 {
				h.Operations[i].Return = h.Operations[i].Call
			}
		}
		first, err := json.Marshal(Check(h, Options{}))
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			if again, _ := json.Marshal(Check(h, Options{})); string(again) != string(first) {
				t.Fatalf("seed %d: a second check gave other bytes", seed)
			}
		}
	}
}

// TestPropertyNames: every property of a result is listed and described.
func TestPropertyNames(t *testing.T) {
	listed := make(map[string]bool)
	for _, p := range PropertyNames() {
		if p.Description == "" || listed[p.Name] {
			t.Errorf("bad entry %+v", p)
		}
		listed[p.Name] = true
	}
	s := simulate(1, history.Election)
	for _, p := range Check(s.cut(len(s.records), len(s.records), history.OldestKey), Options{}).Properties {
		if !listed[p.Property] {
			t.Errorf("%s is not listed", p.Property)
		}
	}
}

// longRun is a history of about n operations by nine clients of one lock,
// every one on one session for the whole run.
func longRun(n int, primitive history.Primitive, named bool) *history.History {
	h := &history.History{Header: history.Header{Version: 1, Prefix: "p/", Subjects: []history.SubjectInfo{
		{Name: "x", Primitive: primitive, Origin: history.FromEtcd, Layout: history.OldestKey},
	}}}
	const clients = 9
	for c := range clients {
		h.Events = append(h.Events, history.Event{Kind: history.SessionOpened, Client: fmt.Sprint("c", c), Lease: int64(c + 1), TTL: time.Second})
	}
	var changes []history.Change
	var ticks []history.Tick
	acquire, release := history.Acquire, history.Release
	if primitive == history.Election {
		acquire, release = history.Campaign, history.Resign
	}
	ms := time.Millisecond
	rev := int64(1)
	creates := make(map[string]int64)
	var ops []history.Operation
	for i := 0; len(ops) < n; i++ {
		c := i % clients
		at := time.Duration(i+clients) * 10 * ms
		op := history.Operation{ID: int64(len(ops) + 1), Client: fmt.Sprint("c", c), Subject: "x", Object: "a", Kind: acquire, Lease: int64(c + 1), Outcome: history.Ok,
			Call: at - clients*9*ms, Return: at}
		rev++
		key := fmt.Sprintf("p/x/a/%d", c)
		creates[key] = rev
		changes = append(changes, history.Change{Revision: rev, Time: op.Call + ms, Key: key, Create: rev, Version: 1, Lease: op.Lease, Value: fmt.Sprint("v", i)})
		if named {
			op.Key, op.Token = key, rev
		}
		leader := history.Operation{ID: op.ID + 1, Client: op.Client, Subject: "x", Object: "a", Kind: history.Leader, Outcome: history.Ok, Call: at + ms, Return: at + 2*ms, Value: fmt.Sprint("v", i)}
		write := history.Operation{ID: op.ID + 2, Client: op.Client, Subject: "x", Object: "a", Kind: history.FencedWrite, Outcome: history.Ok, Call: at + 3*ms, Return: at + 4*ms,
			Hold: op.ID, Token: rev, Value: fmt.Sprint("w", i), Revision: rev}
		if i > 0 {
			write.Prior = fmt.Sprint("w", i-1)
		}
		free := history.Operation{ID: op.ID + 3, Client: op.Client, Subject: "x", Object: "a", Kind: release, Lease: op.Lease, Hold: op.ID, Outcome: history.Ok, Call: at + 5*ms, Return: at + 8*ms}
		ops = append(ops, op, leader, write, free)
	}
	// Calls overlap, deletions interleave with later creations: order both.
	last := ops[len(ops)-1].Return
	del := make([]history.Change, 0, len(changes))
	for _, c := range changes {
		del = append(del, history.Change{Key: c.Key, Deleted: true, Time: c.Time + clients*9*ms + 5*ms, Create: c.Revision})
	}
	merged := make([]history.Change, 0, 2*len(changes))
	renumbered := make(map[int64]int64)
	rev = 1
	for i, k := 0, 0; i < len(changes) || k < len(del); {
		rev++
		if k == len(del) || i < len(changes) && changes[i].Time <= del[k].Time {
			c := changes[i]
			renumbered[c.Revision] = rev
			c.Revision, c.Create = rev, rev
			merged = append(merged, c)
			i++
		} else {
			c := del[k]
			c.Revision, c.Create = rev, 0
			merged = append(merged, c)
			k++
		}
		if rev%10 == 0 {
			t := merged[len(merged)-1].Time
			ticks = append(ticks, history.Tick{Call: t, Return: t + ms, Revision: rev})
		}
	}
	for i := range ops {
		if ops[i].Token != 0 {
			ops[i].Token = renumbered[ops[i].Token]
		}
		if ops[i].Kind == history.FencedWrite {
			ops[i].Revision = ops[i].Token
		}
	}
	sortOperations(ops)
	h.Operations = ops
	h.End = last + time.Second
	ticks = append(ticks, history.Tick{Call: h.End, Return: h.End, Revision: rev})
	for _, phase := range []string{history.PhaseHealed, history.PhaseFinal, history.PhaseEnd} {
		at := h.End
		if phase == history.PhaseHealed {
			at = 0
		}
		h.Events = append(h.Events, history.Event{Kind: history.PhaseBegan, Time: at, Detail: phase})
	}
	h.Revisions = history.NewRevisionLog(1, rev, merged, nil, ticks, nil)
	return h
}

// TestLongRun: the history that the benchmarks check is a correct one.
func TestLongRun(t *testing.T) {
	for _, primitive := range []history.Primitive{history.Mutex, history.Election} {
		for _, p := range Check(longRun(2000, primitive, true), Options{}).Properties {
			if p.Verdict != Holds {
				t.Errorf("%s %s: %s", p.Property, p.Verdict, p.Sentence)
			}
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		for _, c := range []struct {
			name      string
			primitive history.Primitive
			named     bool
		}{{"mutex", history.Mutex, true}, {"nameless", history.Mutex, false}, {"election", history.Election, true}} {
			b.Run(fmt.Sprintf("%s/%d", c.name, n), func(b *testing.B) {
				h := longRun(n, c.primitive, c.named)
				b.ResetTimer()
				for b.Loop() {
					Check(h, Options{})
				}
			})
		}
	}
	// Everybody lies: every grant overlaps others.
	b.Run("overlapping/100000", func(b *testing.B) {
		h := longRun(100_000, history.Mutex, true)
		for i := range h.Operations {
			if op := &h.Operations[i]; op.Kind == history.Acquire {
				op.Return = op.Call + time.Millisecond
			}
		}
		b.ResetTimer()
		for b.Loop() {
			Check(h, Options{})
		}
	})
}

// sortOperations orders operations by call and numbers them so.
func sortOperations(ops []history.Operation) {
	order := slices.Clone(ops)
	slices.SortStableFunc(order, func(a, b history.Operation) int { return cmp.Compare(a.Call, b.Call) })
	renamed := make(map[int64]int64, len(ops))
	for i := range order {
		renamed[order[i].ID] = int64(i + 1)
	}
	for i := range order {
		order[i].ID, order[i].Hold = int64(i+1), renamed[order[i].Hold]
	}
	copy(ops, order)
}
