package checker

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// registerRun simulates a register in virtual time. A wrong read, in one of
// three runs, is of a state that a read some time away would have found.
func registerRun(seed uint64, promise string) (h *history.History, wrongReads bool) {
	random := rand.New(rand.NewPCG(seed, 3))
	h = &history.History{Header: history.Header{Version: 1, Prefix: "p/", Subjects: []history.SubjectInfo{
		{Name: "r", Primitive: history.Register, Origin: history.FromEtcd, Layout: history.OneKey, Promise: promise},
	}}}
	type state struct {
		value    string
		revision int64
		at       time.Duration
	}
	states := []state{{revision: 4, at: -1}}
	var changes []history.Change
	ticks := []history.Tick{{Revision: 4}}
	tick := func(at time.Duration) {
		ticks = append(ticks, history.Tick{Call: at, Return: at, Revision: states[len(states)-1].revision})
	}
	wrongReads = seed%3 == 0
	now := time.Duration(1)
	for i := range 14 {
		now += time.Duration(1+random.IntN(4)) * time.Millisecond
		op := history.Operation{Client: fmt.Sprint("c", i%4), Subject: "r", Object: "o", Outcome: history.Ok}
		op.Call, op.Return = now-time.Duration(random.IntN(6))*time.Millisecond, now+time.Duration(random.IntN(6))*time.Millisecond
		last := states[len(states)-1]
		tick(now)
		switch pick := random.IntN(5); {
		case pick < 2:
			op.Kind = history.Get
			if wrongReads {
				last = states[random.IntN(len(states))]
			}
			op.Value, op.Token, op.Revision = last.value, last.revision, last.revision
			if last.value == "" {
				op.Token = 0
			}
			if wrongReads && random.IntN(4) == 0 {
				op.Value = "what nobody wrote"
			}
		case pick == 2 && random.IntN(2) == 0:
			op.Kind, op.Prior, op.Value, op.Outcome, op.Revision = history.CompareAndSet, "other", fmt.Sprint("v", i), history.Fail, last.revision
		default:
			op.Kind, op.Value = history.Put, fmt.Sprint("v", i)
			if pick == 3 {
				op.Kind, op.Prior = history.CompareAndSet, last.value
			}
			if random.IntN(5) == 0 {
				op.Outcome = history.Info
			}
			if op.Outcome == history.Ok || random.IntN(2) == 0 {
				next := state{op.Value, last.revision + 1, now}
				states = append(states, next)
				changes = append(changes, history.Change{Revision: next.revision, Time: now, Key: "p/r/o/value", Create: 5, Version: next.revision - 4, Value: op.Value})
				if op.Outcome == history.Ok {
					op.Revision = next.revision
				}
			}
		}
		tick(now)
		h.Operations = append(h.Operations, op)
	}
	slices.SortStableFunc(h.Operations, func(a, b history.Operation) int { return int(a.Call - b.Call) })
	for i := range h.Operations {
		h.Operations[i].ID = int64(i + 1)
	}
	end := now + 50*time.Millisecond
	tick(end)
	h.End = end + 5
	h.Events = []history.Event{
		{Time: end - 2, Kind: history.PhaseBegan, Detail: history.PhaseHealed}, {Time: end - 1, Kind: history.PhaseBegan, Detail: history.PhaseFinal},
		{Time: h.End, Kind: history.PhaseBegan, Detail: history.PhaseEnd},
	}
	h.Revisions = history.NewRevisionLog(5, states[len(states)-1].revision, changes, nil, ticks, nil)
	return h, wrongReads
}

// readsPlainly is true if each read's value was the register's at an instant of
// its call, or at one before its return if reads may be stale.
func readsPlainly(h *history.History, stale bool) bool {
	for i := range h.Operations {
		op := &h.Operations[i]
		if op.Kind != history.Get {
			continue
		}
		fits := op.Value == "" && (len(h.Revisions.Changes) == 0 || stale || h.Revisions.Changes[0].Time >= op.Call)
		for k, c := range h.Revisions.Changes {
			if c.Value == op.Value && c.Time <= op.Return && (stale || k+1 == len(h.Revisions.Changes) || h.Revisions.Changes[k+1].Time >= op.Call) {
				fits = true
			}
		}
		if !fits {
			return false
		}
	}
	return true
}

func propertyOf(h *history.History, name string) *Property {
	result := Check(h, Options{})
	for i := range result.Properties {
		if result.Properties[i].Property == name {
			return &result.Properties[i]
		}
	}
	return &Property{Property: name, Verdict: Vacuous}
}

// TestRegisterReads compares the check with the definition. Here revisions are
// dated exactly, and reads name the revision that they read, so that the order
// of the reads among themselves is not at issue.
func TestRegisterReads(t *testing.T) {
	violated := make(map[string]int)
	for seed := range uint64(3000) {
		for _, promise := range []string{"", history.MayBeStale} {
			h, wrong := registerRun(seed, promise)
			p := propertyOf(h, Linearizable)
			plain := readsPlainly(h, promise == history.MayBeStale)
			if !plain && p.Verdict != Violated || plain && !wrong && p.Verdict == Violated {
				t.Fatalf("seed %d %s: by the definition %t; %s: %s", seed, promise, plain, p.Verdict, p.Sentence)
			}
			if promise == history.MayBeStale && plain && p.Verdict == Violated {
				t.Fatalf("seed %d: may be stale, and is violated: %s", seed, p.Sentence)
			}
			if p.Verdict == Violated {
				violated[promise]++
			}
			if d := propertyOf(h, Durability); d.Verdict == Violated || d.Verdict == Unknown {
				t.Fatalf("seed %d: durability: %s: %s", seed, d.Verdict, d.Sentence)
			}
		}
	}
	if violated[""] < 300 || violated[history.MayBeStale] < 50 {
		t.Errorf("violations: %v", violated)
	}
}

// TestLostWritesAreFound takes acknowledged writes out of the log.
func TestLostWritesAreFound(t *testing.T) {
	found := 0
	for seed := range uint64(200) {
		h, _ := registerRun(3*seed+1, "")
		k := slices.IndexFunc(h.Operations, func(op history.Operation) bool {
			return (op.Kind == history.Put || op.Kind == history.CompareAndSet) && op.Outcome == history.Ok
		})
		if k < 0 {
			continue
		}
		lost := h.Operations[k].Value
		log := h.Revisions
		for _, gone := range []bool{true, false} {
			changes := slices.Clone(log.Changes)
			i := slices.IndexFunc(changes, func(c history.Change) bool { return c.Value == lost })
			if gone {
				changes[i].Key = "p/other"
			} else {
				changes[i].Value = "another"
			}
			h.Revisions = history.NewRevisionLog(log.Start, log.Through, changes, nil, log.Ticks, nil)
			p := propertyOf(h, Durability)
			if p.Verdict != Violated || p.Violations[0].Blame != BlameServer || p.Violations[0].Witness[0] != h.Operations[k].ID {
				t.Fatalf("seed %d: the lost write of %s: %+v", seed, lost, p)
			}
			found++
		}
		// Where the log has a gap nothing follows.
		revision := h.Operations[k].Revision
		changes := slices.DeleteFunc(slices.Clone(log.Changes), func(c history.Change) bool { return c.Revision == revision })
		h.Revisions = history.NewRevisionLog(log.Start, log.Through, changes, nil, log.Ticks, []history.Gap{{From: revision, Through: revision}})
		if p := propertyOf(h, Durability); p.Verdict != Unknown {
			t.Fatalf("seed %d: durability beside a gap: %s: %s", seed, p.Verdict, p.Sentence)
		}
		if p := propertyOf(h, Linearizable); p.Verdict == Violated {
			t.Fatalf("seed %d: linearizable beside a gap: %s", seed, p.Sentence)
		}
	}
	if found < 100 {
		t.Errorf("%d lost writes were looked for", found)
	}
}
