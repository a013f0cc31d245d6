package checker

import (
	"fmt"
	"math"
	"sort"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"pgregory.net/rapid"

	"github.com/etcd-holdfast/holdfast/history"
)

// The oracle sees locks as follows. An acquire that succeeded is an operation
// on [call, return]; one that failed had no effect and is left out; one of
// unknown outcome may take the lock at any time and need never give it back,
// or never take it, so it can always be linearized last, after everything
// else: it is left out too. A hold's end is a release that always succeeds and
// has no end: it may take effect at any time from its call, and it frees only
// what its own hold had taken (R11).
type lockInput struct {
	client  int
	release bool
	read    bool
}

// lockModel is a read-write lock; without readers, a mutex. Its state is the
// writer, or -1, and the set of readers.
func lockModel() porcupine.Model {
	type state struct {
		writer  int
		readers uint32
	}
	return porcupine.Model{
		Init: func() any { return state{writer: -1} },
		Step: func(s, input, _ any) (bool, any) {
			st, in := s.(state), input.(lockInput)
			bit := uint32(1) << in.client
			switch {
			case in.release && in.read:
				return st.readers&bit != 0, state{st.writer, st.readers &^ bit}
			case in.release:
				return st.writer == in.client, state{-1, st.readers}
			case in.read:
				return st.writer == -1 && st.readers&bit == 0, state{-1, st.readers | bit}
			}
			return st.writer == -1 && st.readers == 0, state{in.client, 0}
		},
	}
}

// lockHistory draws a small history of one lock, legal or not, with times so
// few that many are equal. Clients are sequential.
func lockHistory(t *rapid.T, readers bool) *history.History {
	h := &history.History{Header: history.Header{Version: 1, Subjects: []history.SubjectInfo{{Name: "x", Primitive: history.RWMutex, Origin: history.FromUser}}}}
	clients := rapid.IntRange(2, 5).Draw(t, "clients")
	// Some runs hand the lock out properly, so that legal ones are not rare.
	fair := rapid.Bool().Draw(t, "fair")
	now := make([]int, clients)
	free := 0 // fair: nobody holds from here on
	tick := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	steps := rapid.IntRange(1, 8).Draw(t, "steps")
	for range steps {
		c := rapid.IntRange(0, clients-1).Draw(t, "client")
		if now[c] < 0 {
			continue
		}
		call := now[c] + rapid.IntRange(0, 3).Draw(t, "think")
		back := call + rapid.IntRange(0, 6).Draw(t, "wait")
		if fair {
			back = max(back, free)
		}
		op := history.Operation{Client: fmt.Sprint("c", c), Subject: "x", Object: "a", Kind: history.Acquire, Call: tick(call), Return: tick(back)}
		if readers && rapid.Bool().Draw(t, "read") {
			op.Mode = history.ReadMode
		}
		now[c] = back
		switch rapid.IntRange(0, 9).Draw(t, "outcome") {
		case 0:
			op.Outcome = history.Info
		case 1:
			op.Outcome = history.Fail
		case 2:
			op.Return = 0
			now[c] = -1
		default:
			op.Outcome = history.Ok
			hold := rapid.IntRange(0, 6).Draw(t, "hold")
			release := history.Operation{Client: op.Client, Subject: "x", Object: "a", Kind: history.Release, Mode: op.Mode, Call: tick(back + hold), Return: tick(back + hold + 2), Outcome: history.Ok}
			free = max(free, back+hold)
			switch rapid.IntRange(0, 7).Draw(t, "end") {
			case 0:
				release.Outcome = history.Info
			case 1:
				release.Outcome, release.Return = history.Pending, 0
				now[c] = -1
			case 2: // never released
				now[c] = -1
				free = math.MaxInt32
				h.Operations = append(h.Operations, op)
				continue
			}
			release.Hold = int64(len(h.Operations)) + 1 // the acquire's place, numbered below
			op.ID = release.Hold
			h.Operations = append(h.Operations, op, release)
			if now[c] >= 0 {
				now[c] = back + hold + 2
			}
			continue
		}
		h.Operations = append(h.Operations, op)
	}
	order := make([]int, len(h.Operations))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, k int) bool { return h.Operations[order[i]].Call < h.Operations[order[k]].Call })
	renamed := make(map[int64]int64)
	operations := make([]history.Operation, 0, len(order))
	for n, i := range order {
		op := h.Operations[i]
		renamed[int64(i)+1] = int64(n) + 1
		op.ID = int64(n) + 1
		operations = append(operations, op)
	}
	for i := range operations {
		operations[i].Hold = renamed[operations[i].Hold]
		h.End = max(h.End, operations[i].Call, operations[i].Return)
	}
	h.Operations = operations
	h.End += 10 * time.Millisecond
	h.Events = []history.Event{{Kind: history.PhaseBegan, Detail: history.PhaseEnd, Time: h.End}}
	return h
}

// oracleLock is what porcupine thinks of a history of locks.
func oracleLock(h *history.History) bool {
	var ops []porcupine.Operation
	for _, op := range h.Operations {
		in := lockInput{client: int(op.Client[1] - '0'), read: op.Mode == history.ReadMode, release: op.Kind == history.Release}
		switch {
		case in.release:
			ops = append(ops, porcupine.Operation{ClientId: in.client, Input: in, Call: int64(op.Call), Return: math.MaxInt64})
		case op.Outcome == history.Ok:
			ops = append(ops, porcupine.Operation{ClientId: in.client, Input: in, Call: int64(op.Call), Return: int64(op.Return)})
		}
	}
	return porcupine.CheckOperations(lockModel(), ops)
}

func exclusionDiffers(t *testing.T, readers bool) {
	legal, illegal := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		for range 200 { // rapid's default of 100 checks makes 20,000 histories
			h := lockHistory(t, readers)
			result := Check(h, Options{})
			for _, p := range result.Properties {
				if p.Property != Exclusion {
					continue
				}
				want := oracleLock(h)
				if want {
					legal++
				} else {
					illegal++
				}
				if got := p.Verdict != Violated; got != want {
					t.Fatalf("porcupine says linearizable is %v, exclusion is %s: %s\n%+v", want, p.Verdict, p.Sentence, h.Operations)
				}
				if (p.Verdict == Violated) != (p.Figures["overlaps"] > 0) {
					t.Fatalf("%s with %v overlaps", p.Verdict, p.Figures["overlaps"])
				}
			}
		}
	})
	t.Logf("%d legal, %d illegal", legal, illegal)
	if legal < 200 || illegal < 200 {
		t.Error("too few of one kind to mean anything")
	}
}

func TestExclusionAgreesWithPorcupineOnMutexes(t *testing.T)   { exclusionDiffers(t, false) }
func TestExclusionAgreesWithPorcupineOnRWMutexes(t *testing.T) { exclusionDiffers(t, true) }

// TestLinearizableAgreesWithPorcupine draws leader sequences with wide and
// narrow bounds, and reads of old, current and impossible values.
func TestLinearizableAgreesWithPorcupine(t *testing.T) {
	legal, illegal := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		for range 200 { // 20,000 sequences
			n := rapid.IntRange(0, 6).Draw(t, "changes")
			sequence := []reign{{}}
			values := []string{""}
			low, high := 0, 0
			for i := range n {
				low += rapid.IntRange(0, 3).Draw(t, "earliest")
				high = max(high, low+rapid.IntRange(0, 4).Draw(t, "width"))
				g := reign{from: int64(i + 2), earliest: time.Duration(low), latest: time.Duration(high)}
				if rapid.IntRange(0, 5).Draw(t, "unseen") == 0 && i == n-1 {
					g.latest = history.Never
				}
				if rapid.IntRange(0, 2).Draw(t, "leads") > 0 {
					g.value = fmt.Sprint("v", rapid.IntRange(0, 3).Draw(t, "value"))
				}
				sequence = append(sequence, g)
				values = append(values, g.value)
			}
			// Latest bounds never fall, as in the log.
			for i := len(sequence) - 2; i > 0; i-- {
				sequence[i].latest = min(sequence[i].latest, sequence[i+1].latest)
			}
			var reads []*history.Operation
			for i := range rapid.IntRange(1, 6).Draw(t, "reads") {
				call := rapid.IntRange(0, 20).Draw(t, "call")
				op := &history.Operation{ID: int64(i + 1), Kind: history.Leader, Outcome: history.Ok, Call: time.Duration(call),
					Return: time.Duration(call + rapid.IntRange(0, 5).Draw(t, "length")), Value: rapid.SampledFrom(values).Draw(t, "saw")}
				reads = append(reads, op)
			}
			want, _ := secondOpinion(sequence, reads)
			if want {
				legal++
			} else {
				illegal++
			}
			if got := len(misread(sequence, reads)) == 0; got != want {
				t.Fatalf("porcupine says linearizable is %v, the sweep %v\n%+v\n%+v", want, got, sequence, reads)
			}
		}
	})
	t.Logf("%d legal, %d illegal", legal, illegal)
	if legal < 200 || illegal < 200 {
		t.Error("too few of one kind to mean anything")
	}
}
