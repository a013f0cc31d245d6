package checker

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/etcd-holdfast/holdfast/history"
)

// permitCall takes a permit for a hold, which is always said to have succeeded,
// or gives that one back.
type permitCall struct {
	hold    int64
	release bool
}

// permitModel is a semaphore as porcupine sees it: its state is the set of the
// holds that have a permit.
func permitModel(permits int) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return uint64(0) },
		Step: func(state, input, _ any) (bool, any) {
			taken, call := state.(uint64), input.(permitCall)
			bit := uint64(1) << call.hold
			if call.release {
				return taken&bit != 0, taken &^ bit
			}
			return bits.OnesCount64(taken) < permits, taken | bit
		},
	}
}

// semaphoreHistory draws holds of one semaphore, many at equal times. Each client
// takes one permit after another; some calls fail and some holds never end.
func semaphoreHistory(random *rand.Rand, permits int) *history.History {
	h := &history.History{Header: history.Header{Version: 1, Subjects: []history.SubjectInfo{
		{Name: "x", Primitive: history.Semaphore, Origin: history.FromUser, Permits: permits},
	}}}
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	for c := range 2 + random.IntN(3) {
		now := random.IntN(8)
		for range 2 {
			op := history.Operation{Client: fmt.Sprint("c", c), Subject: "x", Object: "a", Kind: history.Acquire, Call: ms(now), Outcome: history.Ok}
			now += random.IntN(4)
			op.Return = ms(now)
			if random.IntN(8) == 0 {
				op.Outcome = history.Info
				h.Operations = append(h.Operations, op)
				continue
			}
			now += random.IntN(4)
			release := op
			release.Kind, release.Call, release.Return = history.Release, ms(now), ms(now+2)
			if random.IntN(3) == 0 {
				release.Outcome = history.Info
			}
			h.Operations = append(h.Operations, op)
			if random.IntN(6) == 0 {
				break
			}
			release.Error = "of the one before" // told apart below
			h.Operations = append(h.Operations, release)
			now += 2 + random.IntN(3)
		}
	}
	var last history.Operation
	for i := range h.Operations {
		op := &h.Operations[i]
		op.ID = int64(i + 1)
		if op.Kind == history.Release {
			op.Hold, op.Error = last.ID, ""
		}
		last = *op
	}
	slices.SortStableFunc(h.Operations, func(a, b history.Operation) int { return int(a.Call - b.Call) })
	renamed := make(map[int64]int64)
	for i := range h.Operations {
		renamed[h.Operations[i].ID] = int64(i + 1)
	}
	for i := range h.Operations {
		op := &h.Operations[i]
		op.ID, op.Hold = int64(i+1), renamed[op.Hold]
	}
	h.End = ms(60)
	return h
}

// TestSemaphoreExclusionIsLinearizability compares the sweep with a search over
// all orders: an acquire takes effect within its call, a release of whatever
// outcome at any time from its call on.
func TestSemaphoreExclusionIsLinearizability(t *testing.T) {
	illegal := 0
	for seed := range uint64(6000) {
		random := rand.New(rand.NewPCG(seed, 1))
		permits := 2 + random.IntN(2)
		h := semaphoreHistory(random, permits)
		var operations []porcupine.Operation
		for i := range h.Operations {
			op := &h.Operations[i]
			switch {
			case op.Kind == history.Acquire && op.Outcome == history.Ok:
				operations = append(operations, porcupine.Operation{ClientId: i, Input: permitCall{op.ID, false}, Call: int64(op.Call), Return: int64(op.Return)})
			case op.Kind == history.Release:
				operations = append(operations, porcupine.Operation{ClientId: i, Input: permitCall{op.Hold, true}, Call: int64(op.Call), Return: int64(time.Hour)})
			}
		}
		legal := porcupine.CheckOperations(permitModel(permits), operations)
		for _, p := range Check(h, Options{}).Properties {
			if p.Property != Exclusion {
				continue
			}
			if legal == (p.Verdict == Violated) {
				t.Fatalf("seed %d, %d permits: legal by the search: %t; %s: %s\n%+v", seed, permits, legal, p.Verdict, p.Sentence, h.Operations)
			}
			for _, v := range p.Violations {
				if len(v.Witness) != permits+1 {
					t.Fatalf("seed %d: %d holds as the witness of %d permits", seed, len(v.Witness), permits)
				}
			}
			if float64(len(p.Violations)) != p.Figures["confirmed_by_porcupine"] {
				t.Fatalf("seed %d: porcupine does not agree: %+v", seed, p.Figures)
			}
		}
		if !legal {
			illegal++
		}
	}
	if illegal < 500 {
		t.Errorf("only %d of the histories are illegal", illegal)
	}
}

// TestOldestKeysOwn compares the queue with the definition: a key owns from the
// first revision on at which fewer than the permits of the older ones are left.
func TestOldestKeysOwn(t *testing.T) {
	for seed := range uint64(3000) {
		random := rand.New(rand.NewPCG(seed, 2))
		permits := 1 + random.IntN(4)
		ob := &object{}
		create := int64(0)
		for range random.IntN(12) {
			create += 1 + int64(random.IntN(3))
			ob.tenures = append(ob.tenures, tenure{Life: &history.Life{Create: create}, gone: create + 1 + int64(random.IntN(15)), behind: -1})
		}
		ob.queue(permits)
		for i := range ob.tenures {
			want := ob.tenures[i].Create
			for older := permits; older >= permits; want++ {
				older = 0
				for k := range ob.tenures[:i] {
					if ob.tenures[k].gone > want {
						older++
					}
				}
				if older < permits {
					break
				}
			}
			got := &ob.tenures[i]
			if got.owns != want || got.behind >= 0 && ob.tenures[got.behind].gone != want {
				t.Fatalf("seed %d, %d permits: key %d owns from %d, want %d: %+v", seed, permits, i, got.owns, want, ob.tenures)
			}
		}
	}
}

// excessCase is a semaphore of two permits, three clients that believe in them
// at once, and what the log says of their keys.
func excessCase(third func(h *history.History, changes *[]history.Change, ends *[]history.LeaseEnd)) *history.History {
	ms := time.Millisecond
	h := &history.History{
		Header: history.Header{Version: 1, Prefix: "p/", Subjects: []history.SubjectInfo{
			{Name: "x", Primitive: history.Semaphore, Origin: history.Corrected, Layout: history.OldestKeys, Permits: 2},
		}},
		End: 900 * ms,
	}
	var changes []history.Change
	for i := range 3 {
		revision := int64(10 + i)
		key := fmt.Sprintf("p/x/o/%d", i)
		h.Operations = append(h.Operations, history.Operation{
			ID: int64(i + 1), Client: fmt.Sprint("c", i), Subject: "x", Object: "o", Kind: history.Acquire, Outcome: history.Ok, Lease: int64(i + 1),
			Call: time.Duration(10*i+1) * ms, Return: time.Duration(100+10*i) * ms, Key: key, Token: revision,
		})
		h.Events = append(h.Events, history.Event{Time: 0, Kind: history.SessionOpened, Client: fmt.Sprint("c", i), Lease: int64(i + 1), TTL: time.Second})
		changes = append(changes, history.Change{Revision: revision, Time: time.Duration(10*i+3) * ms, Key: key, Create: revision, Version: 1, Lease: int64(i + 1)})
	}
	var ends []history.LeaseEnd
	third(h, &changes, &ends)
	last := changes[len(changes)-1]
	ticks := []history.Tick{{Call: 0, Return: 0, Revision: 9}}
	for _, c := range changes {
		ticks = append(ticks, history.Tick{Call: c.Time, Return: c.Time, Revision: c.Revision})
	}
	ticks = append(ticks, history.Tick{Call: 800 * ms, Return: 800 * ms, Revision: last.Revision})
	h.Events = append(h.Events,
		history.Event{Time: 700 * ms, Kind: history.PhaseBegan, Detail: history.PhaseHealed},
		history.Event{Time: 750 * ms, Kind: history.PhaseBegan, Detail: history.PhaseFinal},
		history.Event{Time: 900 * ms, Kind: history.PhaseBegan, Detail: history.PhaseEnd})
	h.Revisions = history.NewRevisionLog(10, last.Revision, changes, ends, ticks, nil)
	return h
}

func TestWhoLetsTooManyIn(t *testing.T) {
	ms := time.Millisecond
	for name, c := range map[string]struct {
		third func(*history.History, *[]history.Change, *[]history.LeaseEnd)
		blame Blame
		lie   bool
	}{
		"the subject: two older keys were there": {func(*history.History, *[]history.Change, *[]history.LeaseEnd) {}, BlameSubject, true},
		"the lease of one that held": {func(_ *history.History, changes *[]history.Change, ends *[]history.LeaseEnd) {
			*changes = append(*changes, history.Change{Revision: 13, Time: 110 * ms, Key: "p/x/o/0", Deleted: true})
			*ends = append(*ends, history.LeaseEnd{Lease: 1, Revision: 13, Time: 110 * ms})
		}, BlameLease, false},
		"who deleted the key of one that held": {func(_ *history.History, changes *[]history.Change, _ *[]history.LeaseEnd) {
			*changes = append(*changes, history.Change{Revision: 13, Time: 110 * ms, Key: "p/x/o/1", Deleted: true})
		}, BlameSubject, false},
	} {
		t.Run(name, func(t *testing.T) {
			verdicts := make(map[string]Property)
			for _, p := range Check(excessCase(c.third), Options{}).Properties {
				verdicts[p.Property] = p
			}
			p := verdicts[Exclusion]
			if p.Verdict != Violated || p.Violations[0].Blame != c.blame || fmt.Sprint(p.Violations[0].Witness) != "[1 2 3]" {
				t.Errorf("exclusion: %+v", p)
			}
			if lie := verdicts[Ownership].Verdict == Violated; lie != c.lie {
				t.Errorf("ownership: %+v", verdicts[Ownership])
			}
		})
	}
}
