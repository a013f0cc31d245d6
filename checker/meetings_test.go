package checker

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

func meetingPrimitives() []history.Primitive {
	return []history.Primitive{history.Queue, history.PriorityQueue, history.Barrier, history.DoubleBarrier}
}

// TestCorrectMeetingsHold judges whole runs of ideal queues and barriers, and
// their beginnings, whose calls are under way.
func TestCorrectMeetingsHold(t *testing.T) {
	for _, p := range meetingPrimitives() {
		t.Run(string(p), func(t *testing.T) {
			verdicts := make(map[string]int)
			for seed := range uint64(400) {
				g := gather(seed, p, "", seed%4 == 0)
				for cut := time.Duration(0); ; cut += g.h.End / 7 {
					cut = min(cut, g.h.End)
					whole := cut == g.h.End
					for _, property := range Check(g.until(cut), Options{}).Properties {
						if property.Verdict == Violated || whole && property.Verdict == Unknown {
							t.Fatalf("seed %d, cut at %v of %v: %s is %s: %s", seed, cut, g.h.End, property.Property, property.Verdict, property.Sentence)
						}
						if whole {
							verdicts[fmt.Sprint(property.Property, " ", property.Verdict)]++
						}
					}
					if whole {
						break
					}
				}
			}
			own := Passage
			if p == history.Queue || p == history.PriorityQueue {
				own = Delivery
			}
			for _, name := range []string{own, Linearizable, Contract} {
				if verdicts[name+" holds"] < 80 {
					t.Errorf("too few runs put %s to the test: %v", name, verdicts)
				}
			}
		})
	}
}

// TestPlantedMeetingBugsAreFound demands that each bug is found wherever it has
// struck, with tight bounds and no answer lost, by the property that is meant to
// find it, and in some runs without.
func TestPlantedMeetingBugsAreFound(t *testing.T) {
	for _, c := range []struct {
		bug       string
		primitive history.Primitive
		property  string
		known     string
	}{
		{givesTwice, history.Queue, Delivery, ""},
		{givesTwice, history.Queue, Linearizable, ""},
		{givesTwice, history.PriorityQueue, Delivery, ""},
		{loses, history.Queue, Delivery, ""},
		{loses, history.PriorityQueue, Delivery, ""},
		{neverPuts, history.Queue, Delivery, ""},
		{invents, history.Queue, Delivery, ""},
		{invents, history.PriorityQueue, Linearizable, ""},
		{givesForeign, history.Queue, Delivery, "queue-eats-neighbours"},
		{givesForeign, history.PriorityQueue, Delivery, ""},
		{reorders, history.Queue, Linearizable, ""},
		{reorders, history.PriorityQueue, Linearizable, ""},
		{passesClosed, history.Barrier, Passage, ""},
		{passesClosed, history.Barrier, Linearizable, ""},
		{entersAlone, history.DoubleBarrier, Passage, ""},
		{entersAlone, history.DoubleBarrier, Linearizable, ""},
		{entersGone, history.DoubleBarrier, Passage, "double-barrier-enters-without-key"},
		{leavesBehind, history.DoubleBarrier, Passage, ""},
		{leavesBehind, history.DoubleBarrier, Linearizable, ""},
	} {
		t.Run(fmt.Sprint(c.bug, " ", c.primitive, " ", c.property), func(t *testing.T) {
			struck, loose := 0, 0
			for seed := range uint64(120) {
				for _, tight := range []bool{true, false} {
					g := gather(seed, c.primitive, c.bug, tight)
					if !g.wrong {
						continue
					}
					found := false
					result := Check(g.until(g.h.End), Options{})
					for i := range result.Properties {
						p := &result.Properties[i]
						if p.Property != c.property || p.Verdict != Violated {
							continue
						}
						found = true
						v := p.Violations[0]
						// With wide bounds a dequeue that took the wrong item may have waited for it.
						asKnown := v.Known == c.known || !tight && c.bug == reorders && v.Known == "priority-queue-takes-first-event"
						if v.Blame != BlameLibrary && v.Blame != BlameServer || !asKnown || v.Sentence == "" || len(v.Witness) == 0 {
							t.Errorf("seed %d: %+v", seed, v)
						}
					}
					switch {
					case tight && !found:
						t.Fatalf("seed %d: not found", seed)
					case tight:
						struck++
					case found:
						loose++
					}
				}
			}
			if struck < 20 || loose == 0 {
				t.Errorf("found in %d tight and %d loose runs", struck, loose)
			}
		})
	}
}

// logOf is a log whose revisions are dated exactly.
func logOf(changes []history.Change) *history.RevisionLog {
	var ticks []history.Tick
	for _, c := range changes {
		ticks = append(ticks, history.Tick{Revision: c.Revision - 1, Call: c.Time, Return: history.Never})
	}
	n := int64(len(changes))
	ticks = append(ticks, history.Tick{Revision: n + 1, Call: time.Hour, Return: time.Hour})
	return history.NewRevisionLog(2, n+1, changes, nil, ticks, nil)
}

// ended are the events of a run that came to its end.
func ended() []history.Event {
	return []history.Event{
		{Kind: history.PhaseBegan, Detail: history.PhaseFinal, Time: time.Hour},
		{Kind: history.PhaseBegan, Detail: history.PhaseEnd, Time: time.Hour},
	}
}

// findings are the IDs of the calls that a property finds false.
func findings(h *history.History, property string) []int64 {
	var ids []int64
	for _, p := range Check(h, Options{}).Properties {
		if p.Property == property {
			for _, v := range p.Violations {
				ids = append(ids, v.Witness[len(v.Witness)-1])
			}
		}
	}
	slices.Sort(ids)
	return ids
}

// TestPassageIsExact compares with a search over all instants, with exact dates.
func TestPassageIsExact(t *testing.T) {
	wrong := 0
	for seed := range uint64(20000) {
		r := rand.New(rand.NewPCG(seed, 1))
		var changes []history.Change
		closed := make([]bool, 40) // strictly within the instants k and k+1
		at, up := 0, false
		create := int64(0)
		for at += r.IntN(8); at < 39; at += 1 + r.IntN(12) {
			c := history.Change{Revision: int64(len(changes) + 2), Time: time.Duration(at), Key: "p/s/a/held", Deleted: up}
			if !up {
				create = c.Revision
				c.Create, c.Version = create, 1
			}
			changes = append(changes, c)
			up = !up
			for k := at; k < len(closed); k++ {
				closed[k] = up
			}
		}
		h := &history.History{End: time.Hour, Events: ended(), Header: history.Header{Prefix: "p/", Subjects: []history.SubjectInfo{{Name: "s", Primitive: history.Barrier, Origin: history.FromEtcd, Layout: history.BarrierKeys}}}}
		var want []int64
		for id := range int64(4) {
			call := 1 + r.IntN(30)
			op := history.Operation{ID: id + 1, Client: fmt.Sprint("c", id), Subject: "s", Object: "a", Kind: history.Pass, Outcome: history.Ok, Call: time.Duration(call), Return: time.Duration(call + r.IntN(8))}
			h.Operations = append(h.Operations, op)
			// At an instant at which it turns it is open and closed.
			open := false
			for k := int(op.Call); k <= int(op.Return); k++ {
				open = open || !closed[k-1] || !closed[k]
			}
			if !open {
				want = append(want, op.ID)
			}
		}
		slices.SortFunc(h.Operations, func(a, b history.Operation) int { return int(a.Call - b.Call) })
		for i := range h.Operations {
			id := h.Operations[i].ID
			h.Operations[i].ID = int64(i + 1)
			if k := slices.Index(want, id); k >= 0 {
				want[k] = -int64(i + 1)
			}
		}
		for i := range want {
			want[i] = -want[i]
		}
		slices.Sort(want)
		h.Revisions = logOf(changes)
		if got := findings(h, Passage); !slices.Equal(got, want) {
			t.Fatalf("seed %d: found %v, want %v\n%+v\n%+v", seed, got, want, changes, h.Operations)
		}
		wrong += len(want)
	}
	if wrong < 1000 {
		t.Errorf("only %d false passes", wrong)
	}
}

// TestEntrancesAreExact compares with a search over all revisions, with exact
// dates and one Enter a lease.
func TestEntrancesAreExact(t *testing.T) {
	wrong, right := 0, 0
	for seed := range uint64(20000) {
		r := rand.New(rand.NewPCG(seed, 2))
		permits := 1 + r.IntN(3)
		h := &history.History{End: time.Hour, Events: ended(), Header: history.Header{Prefix: "p/", Subjects: []history.SubjectInfo{{Name: "s", Primitive: history.DoubleBarrier, Origin: history.FromEtcd, Layout: history.MemberKeys, Permits: permits}}}}
		var changes []history.Change
		there := map[int64]bool{}
		var states []map[int64]bool // by revision, from 2
		for at := 2; at < 40; at += 1 + r.IntN(6) {
			lease := int64(1 + r.IntN(4))
			c := history.Change{Revision: int64(len(changes) + 2), Time: time.Duration(at), Key: fmt.Sprint("p/s/a/waiters/", lease), Deleted: there[lease]}
			if !c.Deleted {
				c.Create, c.Version, c.Lease = c.Revision, 1, lease
			}
			there[lease] = !there[lease]
			state := map[int64]bool{}
			for l, in := range there {
				if in {
					state[l] = true
				}
			}
			changes, states = append(changes, c), append(states, state)
		}
		var want []int64
		for lease := int64(1); lease <= 4; lease++ {
			call := 1 + r.IntN(20)
			h.Operations = append(h.Operations, history.Operation{Client: fmt.Sprint("c", lease), Subject: "s", Object: "a", Kind: history.Enter, Outcome: history.Ok, Lease: lease, Call: time.Duration(call), Return: time.Duration(call + r.IntN(20))})
		}
		slices.SortStableFunc(h.Operations, func(a, b history.Operation) int { return int(a.Call - b.Call) })
		for i := range h.Operations {
			op := &h.Operations[i]
			op.ID = int64(i + 1)
			true_, put := false, false
			for k, state := range states {
				if changes[k].Time > op.Return {
					break
				}
				if changes[k].Lease == op.Lease && !changes[k].Deleted && changes[k].Time >= op.Call {
					put = true
				}
				if !state[op.Lease] {
					put = false
				}
				true_ = true_ || put && len(state) >= permits
			}
			if !true_ {
				want = append(want, op.ID)
			} else {
				right++
			}
		}
		h.Revisions = logOf(changes)
		if got := findings(h, Passage); !slices.Equal(got, want) {
			t.Fatalf("seed %d, permits %d: found %v, want %v\n%+v\n%+v", seed, permits, got, want, changes, h.Operations)
		}
		wrong += len(want)
	}
	if wrong < 1000 || right < 1000 {
		t.Errorf("%d false entrances, %d true ones", wrong, right)
	}
}

// TestLostItemsAreCountedExactly compares with all ways in which dequeues of
// unknown outcome can have taken items.
func TestLostItemsAreCountedExactly(t *testing.T) {
	lost := 0
	for seed := range uint64(20000) {
		r := rand.New(rand.NewPCG(seed, 3))
		h := &history.History{End: time.Hour, Events: ended(), Header: history.Header{Prefix: "p/", Subjects: []history.SubjectInfo{{Name: "s", Primitive: history.Queue, Origin: history.FromEtcd, Layout: history.ItemKeys}}}}
		var changes []history.Change
		add := func(at int, item int64, deleted bool) {
			c := history.Change{Revision: int64(len(changes) + 2), Time: time.Duration(at), Key: fmt.Sprint("p/s/a/", item), Deleted: deleted}
			if !deleted {
				c.Create, c.Version, c.Value = c.Revision, 1, fmt.Sprint("v", item)
			}
			changes = append(changes, c)
		}
		items := int64(1 + r.IntN(3))
		for item := range items {
			h.Operations = append(h.Operations, history.Operation{ID: item + 1, Client: "c1", Subject: "s", Object: "a", Kind: history.Enqueue, Value: fmt.Sprint("v", item), Outcome: history.Ok, Call: time.Duration(10*item + 1), Return: time.Duration(10*item + 5)})
			add(int(10*item+3), item, false)
		}
		at := 10 * int(items)
		var deletions, calls []int
		for item := range items {
			if at += 1 + r.IntN(10); r.IntN(3) > 0 {
				add(at, item, true)
				deletions = append(deletions, at)
			}
		}
		for range r.IntN(3) {
			calls = append(calls, 1+r.IntN(60))
		}
		slices.Sort(calls)
		for i, call := range calls {
			h.Operations = append(h.Operations, history.Operation{Client: fmt.Sprint("d", i), Subject: "s", Object: "a", Kind: history.Dequeue, Outcome: history.Info, Call: time.Duration(call), Return: time.Duration(call + 2)})
		}
		slices.SortStableFunc(h.Operations, func(a, b history.Operation) int { return int(a.Call - b.Call) })
		for i := range h.Operations {
			h.Operations[i].ID = int64(i + 1)
		}
		h.Revisions = logOf(changes)
		want := len(deletions) - most(deletions, calls)
		if got := len(findings(h, Delivery)); got != want {
			t.Fatalf("seed %d: %d lost, want %d\n%+v\n%+v", seed, got, want, changes, h.Operations)
		}
		lost += want
	}
	if lost < 1000 {
		t.Errorf("only %d lost items", lost)
	}
}

// most is how many deletions different dequeues can have made, by trying all.
func most(deletions, calls []int) int {
	if len(deletions) == 0 {
		return 0
	}
	best := most(deletions[1:], calls)
	for i, call := range calls {
		if call <= deletions[0] {
			rest := slices.Delete(slices.Clone(calls), i, i+1)
			best = max(best, 1+most(deletions[1:], rest))
		}
	}
	return best
}
