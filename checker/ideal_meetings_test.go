package checker

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// The bugs of the simulated queues and barriers.
const (
	givesTwice   = "gives an item twice"
	loses        = "loses an item"
	neverPuts    = "acknowledges an item that it never puts"
	invents      = "invents an item"
	givesForeign = "gives an item of another queue"
	reorders     = "gives the last item first"
	passesClosed = "lets pass while closed"
	entersAlone  = "lets in before all have come"
	entersGone   = "lets in who has no key"
	leavesBehind = "lets leave while another is in"
)

// gathering simulates queues and barriers that keep their word, but for bug. A
// call takes effect at an instant within its interval; the log dates it within
// bounds. Without tight bounds calls are long and answers are lost.
type gathering struct {
	*rand.Rand
	primitive history.Primitive
	permits   int
	bug       string
	tight     bool

	h        history.History
	now      time.Duration
	revision int64
	changes  []history.Change
	ends     []history.LeaseEnd
	ticks    []history.Tick
	clients  int
	wrong    bool // the bug has struck
}

// gather returns a whole run.
func gather(seed uint64, p history.Primitive, bug string, tight bool) *gathering {
	g := &gathering{Rand: rand.New(rand.NewPCG(seed, 7)), primitive: p, bug: bug, tight: tight, revision: 1, permits: 2}
	g.permits += g.IntN(2)
	g.h.Header = history.Header{Version: 1, Prefix: "p/", Subjects: []history.SubjectInfo{{
		Name: "s", Primitive: p, Origin: history.FromEtcd, Layout: history.LayoutOf(p), Permits: g.permits,
	}}}
	g.event(history.PhaseBegan, "", history.PhaseLoad)
	switch p {
	case history.Barrier:
		g.barrier()
	case history.DoubleBarrier:
		g.doubleBarrier()
	default:
		g.queue()
	}
	for _, phase := range []string{history.PhaseHealed, history.PhaseFinal, history.PhaseEnd} {
		g.now += 100 * time.Millisecond
		g.event(history.PhaseBegan, "", phase)
	}
	g.now += time.Millisecond
	g.ticks = append(g.ticks, history.Tick{Call: g.now, Return: g.now, Revision: g.revision})
	g.h.End = g.now
	slices.SortStableFunc(g.h.Operations, func(a, b history.Operation) int { return cmp.Compare(a.Call, b.Call) })
	for i := range g.h.Operations {
		g.h.Operations[i].ID = int64(i + 1)
	}
	slices.SortStableFunc(g.h.Events, func(a, b history.Event) int { return cmp.Compare(a.Time, b.Time) })
	return g
}

// until returns the run as it was recorded by a time; its end is the whole.
func (g *gathering) until(end time.Duration) *history.History {
	h := g.h
	h.End = min(end, g.h.End)
	h.Operations, h.Events = nil, nil
	for _, op := range g.h.Operations {
		if op.Call > end {
			continue
		}
		if op.Return > end {
			op.Return, op.Outcome, op.Value = 0, history.Pending, map[bool]string{true: op.Value}[op.Kind == history.Enqueue]
		}
		h.Operations = append(h.Operations, op)
	}
	for _, e := range g.h.Events {
		if e.Time <= end {
			h.Events = append(h.Events, e)
		}
	}
	seen := func(t time.Duration) bool { return t <= end }
	changes := slices.DeleteFunc(slices.Clone(g.changes), func(c history.Change) bool { return !seen(c.Time) })
	ends := slices.DeleteFunc(slices.Clone(g.ends), func(e history.LeaseEnd) bool { return !seen(e.Time) })
	ticks := slices.DeleteFunc(slices.Clone(g.ticks), func(t history.Tick) bool { return !seen(t.Return) })
	h.Revisions = history.NewRevisionLog(2, 0, changes, ends, ticks, nil)
	return &h
}

func (g *gathering) event(kind history.EventKind, client, detail string) {
	g.h.Events = append(g.h.Events, history.Event{Kind: kind, Client: client, Subject: "s", Detail: detail, Time: g.now})
}

// some is a random time up to most, or hardly any if bounds are tight.
func (g *gathering) some(most time.Duration) time.Duration {
	if g.tight {
		most = time.Millisecond
	}
	return time.Duration(g.Int64N(int64(most)))
}

// step lets time pass, and perhaps dates the store.
func (g *gathering) step() {
	g.now += 10*time.Millisecond + time.Duration(g.Int64N(int64(20*time.Millisecond)))
	if g.tight || g.IntN(2) == 0 {
		read := g.now - 4*time.Millisecond
		g.ticks = append(g.ticks, history.Tick{Call: read - g.some(5*time.Millisecond), Return: read + g.some(5*time.Millisecond), Revision: g.revision})
	}
}

// change changes a key now.
func (g *gathering) change(key, value string, lease int64, create int64) int64 {
	g.revision++
	c := history.Change{Revision: g.revision, Time: g.now + g.some(20*time.Millisecond), Key: key, Value: value, Lease: lease, Deleted: create != 0}
	if !c.Deleted {
		c.Create, c.Version = g.revision, 1
	}
	g.changes = append(g.changes, c)
	return g.revision
}

// call records a call of a client of its own that takes effect now, if at all.
// Effect returns what the call is told.
func (g *gathering) call(kind history.Kind, object, value string, number int64, effect func() string) {
	g.clients++
	op := history.Operation{
		Client: fmt.Sprintf("c%d", g.clients), Subject: "s", Object: object, Kind: kind, Value: value, Number: number, Lease: int64(g.clients),
		Call: max(0, g.now-g.some(60*time.Millisecond)), Return: g.now + 1 + g.some(60*time.Millisecond), Outcome: history.Ok,
	}
	fate := g.IntN(10)
	if g.tight || fate > 2 {
		if told := effect(); told != "" {
			op.Value = told
		}
	} else {
		if g.IntN(2) == 0 {
			effect()
		}
		op.Outcome = history.Info
		if fate == 0 {
			op.Outcome, op.Return = history.Pending, 0
			g.event(history.Crashed, op.Client, "")
		}
	}
	g.h.Operations = append(g.h.Operations, op)
}

type stored struct {
	key, value string
	create     int64
	priority   int64
}

// strikes is true once: where a bug can do its harm.
func (g *gathering) strikes(bug string) bool {
	if g.bug != bug || g.wrong || g.IntN(3) > 0 {
		return false
	}
	g.wrong = true
	return true
}

func (g *gathering) queue() {
	items := make(map[string][]stored)
	objects := []string{"a", "ab"}
	given := ""
	for n := range 40 {
		g.step()
		object := objects[g.IntN(2)]
		if g.IntN(2) == 0 {
			value, priority := fmt.Sprintf("v%d", n), int64(0)
			if g.primitive == history.PriorityQueue {
				priority = int64(g.IntN(3))
			}
			g.call(history.Enqueue, object, value, priority, func() string {
				if g.strikes(neverPuts) {
					return ""
				}
				key := fmt.Sprintf("p/s/%s/%d", object, n)
				items[object] = append(items[object], stored{key, value, g.change(key, value, 0, 0), priority})
				return ""
			})
			continue
		}
		from := object
		if object == "a" && len(items["ab"]) > 0 && g.strikes(givesForeign) {
			from = "ab"
		}
		if len(items[from]) == 0 {
			continue
		}
		list := items[from]
		slices.SortStableFunc(list, func(a, b stored) int {
			return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(a.create, b.create))
		})
		k := 0
		if last := len(list) - 1; list[last].priority > list[0].priority || g.primitive == history.Queue && last > 0 {
			if g.strikes(reorders) {
				k = last
			}
		}
		if g.strikes(loses) {
			g.change(list[0].key, "", 0, list[0].create)
			items[from] = list[1:]
			continue
		}
		g.call(history.Dequeue, object, "", 0, func() string {
			if g.strikes(invents) {
				return "ghost"
			}
			if given != "" && g.strikes(givesTwice) {
				return given
			}
			item := list[k]
			g.change(item.key, "", 0, item.create)
			items[from] = slices.Delete(slices.Clone(list), k, k+1)
			return item.value
		})
		if last := g.h.Operations[len(g.h.Operations)-1]; last.Outcome == history.Ok {
			given = last.Value
		} else {
			g.h.Operations[len(g.h.Operations)-1].Value = ""
		}
	}
}

func (g *gathering) barrier() {
	closed := int64(0)
	for range 40 {
		g.step()
		switch g.IntN(4) {
		case 0:
			if closed == 0 {
				g.call(history.Block, "a", "", 0, func() string { closed = g.change("p/s/a/held", "", 0, 0); return "" })
			}
		case 1:
			g.call(history.Unblock, "a", "", 0, func() string {
				if closed != 0 {
					g.change("p/s/a/held", "", 0, closed)
				}
				closed = 0
				return ""
			})
		default:
			if closed == 0 || g.strikes(passesClosed) {
				g.call(history.Pass, "a", "", 0, func() string { return "" })
			}
		}
	}
}

// party is a client of a double barrier.
type party struct {
	name    string
	lease   int64
	free    time.Duration // when its last call had returned
	create  int64
	entered int // the place of its Enter
}

func (g *gathering) newParty() *party {
	g.clients++
	return &party{name: fmt.Sprintf("c%d", g.clients), lease: int64(g.clients), free: g.now}
}

func (p *party) key() string { return fmt.Sprintf("p/s/a/waiters/%d", p.lease) }

// begin records a call of p, which has not returned.
func (g *gathering) begin(p *party, kind history.Kind) int {
	g.step()
	g.now = max(g.now, p.free+2)
	call := max(p.free+1, g.now-g.some(30*time.Millisecond))
	g.h.Operations = append(g.h.Operations, history.Operation{Client: p.name, Subject: "s", Object: "a", Kind: kind, Lease: p.lease, Call: call})
	return len(g.h.Operations) - 1
}

func (g *gathering) end(p *party, place int) {
	op := &g.h.Operations[place]
	op.Return, op.Outcome = g.now+1+g.some(30*time.Millisecond), history.Ok
	p.free = op.Return
}

func (g *gathering) expire(p *party) {
	g.step()
	if p.create != 0 {
		revision := g.change(p.key(), "", 0, p.create)
		g.ends = append(g.ends, history.LeaseEnd{Lease: p.lease, Revision: revision, Time: g.changes[len(g.changes)-1].Time})
		p.create = 0
	}
}

func (g *gathering) doubleBarrier() {
	parties := make([]*party, g.permits)
	for i := range parties {
		parties[i] = g.newParty()
	}
	for range 6 {
		waiting := slices.Clone(parties)
		var ready []*party
		var gone *party
		for i, p := range waiting {
			p.entered = g.begin(p, history.Enter)
			p.create = g.change(p.key(), "", p.lease, 0)
			ready = append(ready, p)
			if i == 0 && g.strikes(entersAlone) {
				g.end(p, p.entered)
				g.now = p.free + 50*time.Millisecond
				ready = nil
			} else if i == 0 && g.strikes(entersGone) {
				g.expire(p)
				gone = p
			}
		}
		if gone != nil { // another comes, so that enough are there without it
			p := g.newParty()
			p.entered = g.begin(p, history.Enter)
			p.create = g.change(p.key(), "", p.lease, 0)
			ready = append(ready, p)
			parties = append(slices.DeleteFunc(slices.Clone(parties), func(x *party) bool { return x == gone }), p)
		}
		for _, p := range ready {
			g.end(p, p.entered)
		}
		dies := -1
		if !g.tight && g.IntN(4) == 0 {
			dies = g.IntN(len(parties))
		}
		var leaves []int
		var leaving []*party
		for i, p := range parties {
			if i == dies {
				continue
			}
			place := g.begin(p, history.Leave)
			g.change(p.key(), "", 0, p.create)
			p.create = 0
			if i == 0 && g.strikes(leavesBehind) {
				g.end(p, place)
				g.now = p.free + 50*time.Millisecond
				continue
			}
			leaves, leaving = append(leaves, place), append(leaving, p)
		}
		if dies >= 0 {
			g.event(history.Crashed, parties[dies].name, "")
			g.expire(parties[dies])
			parties[dies] = g.newParty()
		}
		for i, p := range leaving {
			g.end(p, leaves[i])
		}
	}
}
