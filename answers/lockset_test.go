package answers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast"
	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
)

// register plays a register that clients read and write back without a lock.
type register struct {
	operations []history.Operation
	value      string
	position   int64
	read       history.Kind
	write      history.Kind
}

func (g *register) add(kind history.Kind, outcome history.Outcome, value, prior string) {
	g.position++
	id := int64(len(g.operations) + 1)
	g.operations = append(g.operations, history.Operation{
		ID: id, Client: "c1", Subject: "mutex", Object: "0", Kind: kind, Outcome: outcome, Value: value, Prior: prior, Revision: g.position,
		Call: time.Duration(2*id) * time.Millisecond, Return: time.Duration(2*id+1) * time.Millisecond,
	})
}

func (g *register) reads() string { g.add(g.read, history.Ok, g.value, ""); return g.value }

func (g *register) writes(outcome history.Outcome, value, prior string) {
	g.add(g.write, outcome, value, prior)
	if outcome != history.Fail {
		g.value = value
	}
}

func TestUpdatesThatAreNotInTheSetAtTheEndAreLost(t *testing.T) {
	for name, test := range map[string]struct {
		play                 func(g *register)
		added, lost, refused int
	}{
		"one after another": {func(g *register) {
			g.writes(history.Ok, "a", g.reads())
			g.writes(history.Ok, "b", g.reads())
		}, 2, 0, 0},
		"both read the empty set": {func(g *register) {
			first, second := g.reads(), g.reads()
			g.writes(history.Ok, "a", first)
			g.writes(history.Ok, "b", second)
		}, 2, 1, 0},
		"an old holder overwrites two": {func(g *register) {
			old := g.reads()
			g.writes(history.Ok, "a", g.reads())
			g.writes(history.Ok, "b", g.reads())
			g.writes(history.Ok, "c", old)
			g.writes(history.Ok, "d", g.reads())
		}, 4, 2, 0},
		"what was not acknowledged is not lost": {func(g *register) {
			old := g.reads()
			g.writes(history.Info, "a", g.reads())
			g.writes(history.Ok, "b", old)
		}, 1, 0, 0},
		"refused": {func(g *register) {
			old := g.reads()
			g.writes(history.Ok, "a", g.reads())
			g.writes(history.Fail, "b", old)
		}, 1, 0, 1},
	} {
		for _, kinds := range [][2]history.Kind{{history.Read, history.Write}, {history.FencedRead, history.FencedWrite}} {
			g := &register{read: kinds[0], write: kinds[1]}
			test.play(g)
			g.reads()
			added, lost, refused, err := setLoss(g.operations, "mutex", g.read, g.write)
			if err != nil || added != test.added || lost != test.lost || refused != test.refused {
				t.Errorf("%s, %s: added %d, lost %d, refused %d, %v", name, g.write, added, lost, refused, err)
			}
			if added, _, _, err := setLoss(g.operations, "another", g.read, g.write); added != 0 || err != nil {
				t.Errorf("another's: %d, %v", added, err)
			}
		}
	}
}

func TestWithoutAFinalReadNothingIsCounted(t *testing.T) {
	g := &register{read: history.Read, write: history.Write}
	g.writes(history.Ok, "a", g.reads())
	if _, _, _, err := setLoss(g.operations, "mutex", g.read, g.write); !errors.Is(err, errNoFinalRead) {
		t.Errorf("%v, want %v", err, errNoFinalRead)
	}
}

// What the checker's damage counts by the chain of prior values is what a set
// loses.
func TestTheCheckerCountsTheSame(t *testing.T) {
	losses := 0
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		g := &register{read: history.Read, write: history.Write}
		seen := make([]string, 4)
		for i := range 40 {
			if c := random.IntN(len(seen)); random.IntN(2) == 0 {
				seen[c] = g.reads()
			} else {
				g.writes([]history.Outcome{history.Ok, history.Ok, history.Ok, history.Info}[random.IntN(4)], fmt.Sprint("v", i), seen[c])
			}
		}
		began := time.Duration(2*len(g.operations)+2) * time.Millisecond
		g.reads()
		added, lost, _, err := setLoss(g.operations, "mutex", g.read, g.write)
		if err != nil {
			t.Fatal(err)
		}
		h := &history.History{
			Header:     history.Header{Subjects: []history.SubjectInfo{{Name: "mutex", Primitive: history.Mutex, Origin: history.FromEtcd}}},
			Operations: g.operations, End: time.Second,
			Events: []history.Event{{Kind: history.PhaseBegan, Detail: history.PhaseFinal, Time: began}, {Kind: history.PhaseBegan, Detail: history.PhaseEnd, Time: time.Second}},
		}
		damage := damageOf(t, checker.Check(h, checker.Options{}), "mutex")
		if damage["written"] != float64(added) || damage["lost"] != float64(lost) {
			t.Fatalf("seed %d: the checker counts %v, the set lost %d of %d", seed, damage, lost, added)
		}
		losses += lost
	}
	if losses == 0 {
		t.Error("no history lost anything: nothing was compared")
	}
}

func damageOf(t *testing.T, result *checker.Result, subject string) map[string]float64 {
	t.Helper()
	for i := range result.Properties {
		if p := &result.Properties[i]; p.Subject == subject && p.Property == checker.Damage {
			return p.Figures
		}
	}
	t.Fatalf("damage of %s was not judged", subject)
	return nil
}

func TestTheAnswerToLockSetFollowsFromTheRuns(t *testing.T) {
	l := &LockSet{Etcd: "3.7.3", Runs: []LockSetRun{
		{Seed: 1, Pauses: 3, Locks: []SetLoss{{Subject: "mutex", Added: 20, Lost: 1, FencedAdded: 19}, {Subject: Unchecked, Added: 10, Lost: 2, FencedAdded: 8, FencedLost: 1, Refused: 2}}},
		{Seed: 2, Pauses: 2, Locks: []SetLoss{{Subject: "mutex", Added: 20, FencedAdded: 20}, {Subject: Unchecked, Added: 10, Lost: 4, FencedAdded: 8}}},
	}}
	for _, want := range []string{
		"mutex lost 1 of 40 acknowledged updates of the unfenced set (2.5 %; by run 0.0 to 5.0 %, median 2.5 %).",
		"lost 6 of 20 acknowledged updates of the unfenced set (30.0 %; by run 20.0 to 40.0 %, median 30.0 %).",
		"The fenced sets lost 1 of 55.",
	} {
		if !strings.Contains(l.Answer(), want) {
			t.Errorf("%s\nlacks %q", l.Answer(), want)
		}
	}
	var table strings.Builder
	if err := l.Table(&table); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(table.String(), "\n") {
		if len([]rune(line)) > 100 {
			t.Errorf("too wide: %s", line)
		}
	}
	content, err := json.Marshal(l)
	if err != nil || !strings.Contains(string(content), `"median_percent":30`) || !strings.Contains(string(content), `"fenced_lost":1`) {
		t.Errorf("%s, %v", content, err)
	}
	for i := range l.Runs {
		l.Runs[i].Pauses = 0
	}
	if !strings.HasPrefix(l.Answer(), "Not answered") {
		t.Error(l.Answer())
	}
}

func TestSpread(t *testing.T) {
	for _, test := range []struct {
		shares []float64
		want   Spread
	}{{nil, Spread{}}, {[]float64{3, 1, 2}, Spread{1, 2, 3}}, {[]float64{4, 1, 2, 3}, Spread{1, 2.5, 4}}} {
		if got := spreadOf(test.shares); got != test.want {
			t.Errorf("%v: %v, want %v", test.shares, got, test.want)
		}
	}
}

func TestMistakesInLockSetOptions(t *testing.T) {
	err := LockSetOptions{Seeds: -1, Duration: time.Second}.Validate()
	for _, want := range []string{"seeds: -1", "duration: 1s"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
}

func TestTheTableOfLockSetFits(t *testing.T) {
	l := &LockSet{Etcd: "3.7.3", Runs: []LockSetRun{{Seed: 100000, Pauses: 7, Directory: "runs/x", Locks: []SetLoss{
		{Subject: "mutex", Added: 100000, Lost: 99999, FencedAdded: 100000, Refused: 100000},
		{Subject: Unchecked, Added: 100000, Lost: 99999, FencedAdded: 100000, Refused: 100000},
	}}}}
	var table strings.Builder
	if err := l.Table(&table); err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(table.String(), "\n") {
		if len([]rune(line)) > 100 {
			t.Errorf("too wide: %s", line)
		}
	}
}

// One short run: its pause has an effect, updates are counted as the checker
// counts them, and the fenced sets lose nothing.
func TestLockSetRuns(t *testing.T) {
	measured(t)
	// It ends with the first run, and what that came to is there.
	ctx, cancel := context.WithCancel(t.Context())
	l, err := MeasureLockSet(ctx, LockSetOptions{Seeds: 2, First: 3, Duration: 11 * time.Second, Out: t.TempDir(), Status: func(now Standing) {
		if now.Done == 1 {
			cancel()
			if !strings.HasPrefix(now.SoFar, "mutex lost ") {
				t.Errorf("it told %+v", now)
			}
		}
	}})
	if !errors.Is(err, ErrInterrupted) || l == nil || len(l.Runs) != 1 {
		t.Fatalf("%+v, %v", l, err)
	}
	one := l.Runs[0]
	if one.Seed != 3 || one.Pauses != 1 || len(one.Locks) != 2 || one.Locks[0].Subject != "mutex" || one.Locks[1].Subject != Unchecked {
		t.Fatalf("%+v", one)
	}
	judgement, err := holdfast.Judge(one.Directory, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, lock := range one.Locks {
		damage := damageOf(t, judgement.Result(), lock.Subject)
		if damage["written"] != float64(lock.Added) || damage["lost"] != float64(lock.Lost) {
			t.Errorf("%+v: the checker counts %v", lock, damage)
		}
		if lock.Added == 0 || lock.FencedAdded == 0 || lock.FencedLost != 0 {
			t.Errorf("%+v", lock)
		}
	}
}
