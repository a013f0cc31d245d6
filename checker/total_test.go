package checker

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// The ways in which a simulated bank can be wrong.
const (
	losesUpdates     = "builds a transfer on an old balance"
	appliesTwice     = "applies a transfer twice"
	appliesRefused   = "applies a transfer that it refuses"
	forgets          = "forgets an acknowledged transfer"
	appliesHalf      = "changes one account only"
	auditsMixed      = "audits two states at once"
	auditsOld        = "audits an old state"
	appliesLate      = "applies a transfer after it was acknowledged"
	overdraws        = "lets a balance go below zero"
	tellsWrongNumber = "names another revision than it made"
)

var bankBugs = []string{losesUpdates, appliesTwice, appliesRefused, forgets, appliesHalf, auditsMixed, auditsOld, appliesLate, overdraws, tellsWrongNumber}

// bankRun simulates clients of a bank in virtual time, one commit after another,
// and the revision log of it. With a bug, one in four of its calls has it.
type bankRun struct {
	random   *rand.Rand
	bug      string
	balances [3]int64
	past     [][3]int64
	revision int64
	seen     time.Duration
	h        *history.History
	changes  []history.Change
	ticks    []history.Tick
}

func simulateBank(seed uint64, promise, bug string) *history.History {
	b := &bankRun{random: rand.New(rand.NewPCG(seed, 7)), bug: bug, balances: [3]int64{20, 20, 20}, revision: 4}
	b.h = &history.History{Header: history.Header{Version: 1, Prefix: "p/", Subjects: []history.SubjectInfo{{
		Name: "b", Primitive: history.Bank, Origin: history.FromEtcd, Layout: history.AccountKeys, Promise: promise, Whole: 60,
	}}}}
	b.put(0, map[int]int64{0: 20, 1: 20, 2: 20}, "")
	type plan struct {
		op     history.Operation
		commit time.Duration
	}
	var plans []plan
	for c := range 3 {
		now := time.Duration(b.random.IntN(4)) * time.Millisecond
		for range 6 {
			p := plan{op: history.Operation{Client: fmt.Sprint("c", c), Subject: "b", Object: "o", Kind: history.Audit, Call: now}}
			p.commit = now + time.Duration(b.random.IntN(8))*time.Millisecond
			p.op.Return = p.commit + time.Duration(b.random.IntN(5))*time.Millisecond
			if b.random.IntN(3) > 0 {
				p.op.Kind = history.Transfer
			}
			plans = append(plans, p)
			now = p.op.Return + time.Duration(b.random.IntN(4))*time.Millisecond
		}
	}
	slices.SortStableFunc(plans, func(x, y plan) int { return int(x.commit - y.commit) })
	for i := range plans {
		p := &plans[i]
		b.tick(p.commit)
		b.past = append(b.past, b.balances)
		buggy := bug != "" && b.random.IntN(4) == 0
		p.op.Outcome = history.Ok
		if p.op.Kind == history.Audit {
			b.audit(&p.op, buggy)
		} else {
			b.transfer(&p.op, fmt.Sprint("t", i), p.commit, buggy)
		}
		b.tick(p.commit)
	}
	end := 100 * time.Millisecond
	for i := range plans {
		end = max(end, plans[i].op.Return+10*time.Millisecond)
		b.h.Operations = append(b.h.Operations, plans[i].op)
	}
	slices.SortStableFunc(b.h.Operations, func(x, y history.Operation) int { return int(x.Call - y.Call) })
	for i := range b.h.Operations {
		b.h.Operations[i].ID = int64(i + 1)
	}
	b.tick(end)
	b.h.End = end + 5*time.Millisecond
	b.h.Events = []history.Event{
		{Time: 0, Kind: history.PhaseBegan, Detail: history.PhaseLoad}, {Time: end - 2, Kind: history.PhaseBegan, Detail: history.PhaseHealed},
		{Time: end - 1, Kind: history.PhaseBegan, Detail: history.PhaseFinal}, {Time: b.h.End, Kind: history.PhaseBegan, Detail: history.PhaseEnd},
	}
	b.h.Revisions = history.NewRevisionLog(5, b.revision, b.changes, nil, b.ticks, nil)
	return b.h
}

func (b *bankRun) tick(at time.Duration) {
	b.ticks = append(b.ticks, history.Tick{Call: at, Return: at, Revision: b.revision})
}

// put makes one revision.
func (b *bankRun) put(at time.Duration, balances map[int]int64, name string) {
	b.revision++
	b.seen = max(b.seen, at+time.Duration(b.random.IntN(3))*time.Millisecond)
	for account, balance := range balances {
		b.balances[account] = balance
		value := fmt.Sprint(balance)
		if name != "" {
			value += " " + name
		}
		b.changes = append(b.changes, history.Change{Revision: b.revision, Time: b.seen, Key: fmt.Sprint("p/b/o/", account), Create: 5, Version: b.revision, Value: value})
	}
}

func (b *bankRun) audit(op *history.Operation, buggy bool) {
	read := b.balances
	old := b.past[b.random.IntN(len(b.past))]
	switch {
	case buggy && b.bug == auditsMixed:
		read[0] = old[0]
	case buggy && b.bug == auditsOld:
		read = old
	}
	var texts []string
	for _, v := range read {
		op.Number += v
		texts = append(texts, fmt.Sprint(v))
	}
	op.Value = strings.Join(texts, " ")
}

func (b *bankRun) transfer(op *history.Operation, name string, at time.Duration, buggy bool) {
	from := b.random.IntN(3)
	to := (from + 1 + b.random.IntN(2)) % 3
	op.Number = int64(1 + b.random.IntN(9))
	op.Value = fmt.Sprintf("%d %d %s", from, to, name)
	base := b.balances
	if buggy && b.bug == losesUpdates {
		base = b.past[b.random.IntN(len(b.past))]
	}
	if base[from] < op.Number && !(buggy && b.bug == overdraws) {
		op.Outcome = history.Fail
		return
	}
	changes := map[int]int64{from: base[from] - op.Number, to: base[to] + op.Number}
	switch {
	case buggy && b.bug == forgets:
		return
	case buggy && b.bug == appliesHalf:
		delete(changes, to)
	case buggy && b.bug == appliesRefused:
		op.Outcome = history.Fail
	case buggy && b.bug == appliesLate:
		op.Return = at - time.Millisecond // so it was told before
		if op.Return <= op.Call {
			op.Call = op.Return
		}
	}
	if op.Outcome == history.Ok && b.random.IntN(6) == 0 {
		op.Outcome = history.Info
		if b.random.IntN(2) == 0 {
			return
		}
	}
	b.put(at, changes, name)
	if op.Outcome == history.Ok {
		op.Revision = b.revision
		if buggy && b.bug == tellsWrongNumber {
			op.Revision--
		}
	}
	if buggy && b.bug == appliesTwice {
		b.put(at, map[int]int64{from: b.balances[from] - op.Number, to: b.balances[to] + op.Number}, name)
	}
}

func totalOf(t *testing.T, h *history.History) *Property {
	t.Helper()
	result := Check(h, Options{})
	for i := range result.Properties {
		if result.Properties[i].Property == Total {
			return &result.Properties[i]
		}
	}
	t.Fatal("total was not judged")
	return nil
}

// plainly judges a strictly serializable bank by the definition alone: the log
// is a list of states; each step is one transfer's, each transfer that must have
// happened is one step, and each audit is a state of its time.
func plainly(h *history.History) bool {
	type state struct {
		balances       string
		change         map[string]int64
		names          []string
		from, to       time.Duration // when it can have begun
		overdrawn, sum int64
	}
	log := h.Revisions
	now := make(map[string]int64)
	var states []state
	for revision := log.Start; revision <= log.Through; revision++ {
		s := state{change: make(map[string]int64), from: log.Earliest(revision), to: log.Latest(revision)}
		for _, c := range log.Changes {
			if c.Revision != revision {
				continue
			}
			account := strings.TrimPrefix(c.Key, "p/b/o/")
			words := strings.Fields(c.Value)
			var balance int64
			_, _ = fmt.Sscan(words[0], &balance) // the simulation writes numbers
			s.change[account] = balance - now[account]
			if len(words) > 1 {
				s.names = append(s.names, words[1])
			}
			if balance < 0 {
				s.overdrawn++
			}
			now[account] = balance
		}
		s.balances = fmt.Sprintf("%d %d %d", now["0"], now["1"], now["2"])
		s.sum = now["0"] + now["1"] + now["2"]
		states = append(states, s)
	}
	explained := make([]int, len(states))
	explained[0] = 1
	for i := range h.Operations {
		op := &h.Operations[i]
		returned := op.Return
		if op.Outcome != history.Ok {
			returned = history.Never
		}
		if op.Kind == history.Audit {
			fits := false
			for k := range states {
				until := history.Never
				if k+1 < len(states) {
					until = states[k+1].to
				}
				fits = fits || states[k].balances == op.Value && states[k].from <= returned && until >= op.Call
			}
			if op.Outcome == history.Ok && !fits {
				return false
			}
			continue
		}
		words := strings.Fields(op.Value)
		happened := 0
		for k := range states {
			s := &states[k]
			if !slices.Contains(s.names, words[2]) {
				continue
			}
			happened++
			explained[k]++
			if len(s.change) != 2 || s.change[words[0]] != -op.Number || s.change[words[1]] != op.Number || s.from > returned || s.to < op.Call ||
				op.Outcome == history.Ok && op.Revision != log.Start+int64(k) {
				return false
			}
		}
		if happened > 1 || op.Outcome == history.Fail && happened > 0 || op.Outcome == history.Ok && happened == 0 {
			return false
		}
	}
	for k := range states {
		if explained[k] != 1 || states[k].overdrawn > 0 || states[k].sum != 60 {
			return false
		}
	}
	return true
}

// TestTotalIsWhatTheDefinitionSays compares the check with the definition, on
// banks that are right and on those with every bug.
func TestTotalIsWhatTheDefinitionSays(t *testing.T) {
	found := make(map[string]int)
	for seed := range uint64(600) {
		for _, bug := range append([]string{""}, bankBugs...) {
			h := simulateBank(seed, history.SerializableSnapshot, bug)
			p := totalOf(t, h)
			right := plainly(h)
			if bug == "" && !right {
				t.Fatalf("seed %d: the simulated bank is wrong", seed)
			}
			if right == (p.Verdict == Violated) {
				t.Fatalf("seed %d, bank that %s: right by the definition: %t; %s: %s", seed, bug, right, p.Verdict, p.Sentence)
			}
			if p.Verdict == Unknown {
				t.Fatalf("seed %d: unknown although nothing is missing: %s", seed, p.Sentence)
			}
			if !right {
				found[bug]++
				if len(p.Violations) == 0 || p.Sentence == "" {
					t.Fatalf("seed %d: a violation without a sentence: %+v", seed, p)
				}
			}
		}
	}
	for _, bug := range bankBugs {
		if found[bug] < 20 {
			t.Errorf("a bank that %s was wrong in %d runs only", bug, found[bug])
		}
	}
	t.Log(found)
}

// TestCorrectBanksHold cuts the log of right runs: nothing is raised, whatever
// is missing, at any level.
func TestCorrectBanksHold(t *testing.T) {
	holds := 0
	for seed := range uint64(300) {
		for _, promise := range []string{history.SerializableSnapshot, history.Serializable, history.RepeatableReads, history.ReadCommitted, ""} {
			h := simulateBank(seed, promise, "")
			log := h.Revisions
			switch seed % 4 {
			case 1: // the log ends early
				through := log.Start + int64(seed)%(log.Through-log.Start+1)
				changes := slices.DeleteFunc(slices.Clone(log.Changes), func(c history.Change) bool { return c.Revision > through })
				h.Revisions = history.NewRevisionLog(log.Start, through, changes, nil, log.Ticks, nil)
			case 2: // it has a gap
				gap := history.Gap{From: log.Start + 2, Through: log.Start + 3}
				changes := slices.DeleteFunc(slices.Clone(log.Changes), func(c history.Change) bool { return c.Revision >= gap.From && c.Revision <= gap.Through })
				h.Revisions = history.NewRevisionLog(log.Start, log.Through, changes, nil, log.Ticks, []history.Gap{gap})
			case 3:
				h.Revisions = nil
			}
			p := totalOf(t, h)
			if p.Verdict == Violated {
				t.Fatalf("seed %d, %s: false alarm: %s", seed, promise, p.Sentence)
			}
			if p.Verdict == Holds {
				holds++
			}
		}
	}
	if holds < 100 {
		t.Errorf("only %d runs hold", holds)
	}
}

// TestTotalJudgesByThePromise demands that what a level permits is no violation
// of it, and that it is one of the level above.
func TestTotalJudgesByThePromise(t *testing.T) {
	for _, c := range []struct {
		bug, promise string
		permitted    bool
		figure       string
	}{
		{losesUpdates, history.ReadCommitted, true, "lost_updates"},
		{losesUpdates, history.RepeatableReads, false, ""},
		{auditsMixed, history.ReadCommitted, true, "audits_off"},
		{auditsMixed, history.RepeatableReads, false, ""},
		{auditsOld, history.RepeatableReads, true, "audits_old"},
		{auditsOld, history.Serializable, false, ""},
		{appliesTwice, history.ReadCommitted, false, ""},
		{forgets, history.ReadCommitted, false, ""},
		{appliesRefused, history.ReadCommitted, false, ""},
		{appliesHalf, history.ReadCommitted, false, ""},
	} {
		violated, seen := 0, 0.0
		for seed := range uint64(100) {
			p := totalOf(t, simulateBank(seed, c.promise, c.bug))
			if p.Verdict == Violated {
				violated++
				if c.permitted {
					t.Fatalf("a bank that %s breaks %s: seed %d: %s", c.bug, c.promise, seed, p.Sentence)
				}
			}
			seen += p.Figures[c.figure]
		}
		if !c.permitted && violated == 0 {
			t.Errorf("a bank that %s was never found to break %s", c.bug, c.promise)
		}
		if c.permitted && seen == 0 {
			t.Errorf("a bank that %s: %s is never counted", c.bug, c.figure)
		}
	}
}
