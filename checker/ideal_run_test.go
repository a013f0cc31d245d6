package checker

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"sort"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

func (s *ideal) lastRound(c *idealClient, i int) {
	if c.dead {
		return
	}
	if i == len(s.objects) {
		s.closeSession(c, func() {
			s.running--
			if s.running == 0 {
				s.conclude()
			}
		})
		return
	}
	s.acquire(c, s.objects[i], s.mode(), s.value(), 0, false, func(id int64, k *idealKey) {
		if k == nil { // its session had ended before the heal
			s.closeSession(c, func() { s.open(c); s.lastRound(c, i) })
			return
		}
		s.held(c, id, k, 1, func() { s.lastRound(c, i+1) })
	})
}

// conclude ends the run: a last leader, the final phase, the final reads.
func (s *ideal) conclude() {
	last := &idealClient{name: "last"}
	s.open(last)
	if s.primitive != history.Election {
		s.finalPhase()
		return
	}
	waiting := len(s.objects)
	for _, ob := range s.objects {
		s.acquire(last, ob, "", s.value(), 0, false, func(int64, *idealKey) {
			waiting--
			if waiting == 0 {
				s.after(1700*time.Millisecond, s.finalPhase)
			}
		})
	}
}

// finalPhase reads the last state and ends the record.
func (s *ideal) finalPhase() {
	if s.concluded {
		return
	}
	s.concluded = true
	s.event(history.Event{Kind: history.PhaseBegan, Detail: history.PhaseFinal})
	for _, ob := range s.objects {
		ob.position++
		id := s.begin(history.Operation{Client: "harness", Subject: s.subject, Object: ob.name, Kind: history.FencedRead})
		fenced, plain, position := ob.fenced, ob.plain, ob.position
		s.finish(id, history.Ok, func(op *history.Operation) { op.Value, op.Revision = fenced, position })
		id = s.begin(history.Operation{Client: "harness", Subject: s.subject, Object: ob.name, Kind: history.Read})
		s.finish(id, history.Ok, func(op *history.Operation) { op.Value = plain })
	}
	s.after(100*time.Millisecond, func() {
		s.ended = true
		s.tick(false)
		s.after(200*time.Millisecond, func() {
			s.event(history.Event{Kind: history.PhaseBegan, Detail: history.PhaseEnd})
		})
	})
}

func (s *ideal) tick(again bool) {
	call := s.now
	s.after(s.upTo(10*time.Millisecond), func() {
		rev := s.revision
		s.after(s.upTo(10*time.Millisecond), func() {
			back := s.now
			s.records = append(s.records, idealRecord{back, true, func(f *idealFiles) {
				f.ticks = append(f.ticks, history.Tick{Call: call, Return: back, Revision: rev})
			}})
		})
	})
	if again {
		s.after(70*time.Millisecond, func() {
			if !s.ended {
				s.tick(true)
			}
		})
	}
}

// chaos harms a client now and then while the load lasts.
func (s *ideal) chaos(c *idealClient) {
	s.after(100*time.Millisecond+s.upTo(1500*time.Millisecond), func() {
		if s.healed || c.dead {
			return
		}
		switch {
		case s.chance(5):
			s.compacted = s.now
			s.fault("compact", "members", s.now)
			if s.bug == endsSilently {
				for _, ob := range s.objects {
					if end := s.observations[ob]; end != nil {
						s.after(time.Millisecond, end)
					}
				}
			}
		case s.chance(25) && !s.sharing:
			s.event(history.Event{Kind: history.Crashed, Client: c.name})
			c.dead = true
			next := &idealClient{name: c.name + ".1", heeds: c.heeds}
			s.after(s.upTo(400*time.Millisecond), func() { s.replace(c, next) })
			return
		case s.chance(60):
			if until := s.now + s.upTo(2500*time.Millisecond); until > c.cutUntil {
				c.cutUntil = until
				s.fault("cut-client", c.name, until)
			}
		}
		s.chaos(c)
	})
}

// replace starts a dead client's successor, which may resume a leadership.
func (s *ideal) replace(dead, c *idealClient) {
	start := func() {
		if !s.healed {
			s.chaos(c)
		}
		s.run(c)
	}
	l := s.leases[dead.lease]
	for _, ob := range s.objects {
		for _, k := range ob.queue {
			if s.primitive != history.Election || k.lease != dead.lease || !k.granted || l.dead {
				continue
			}
			c.lease, l.owner = dead.lease, c
			op := history.Operation{Object: ob.name, Kind: history.Resume, Value: k.value}
			s.call(c, op, 0, func(answer func(history.Outcome, func(*history.Operation))) {
				if s.keys[k.name] != k {
					answer(history.Fail, nil)
					return
				}
				answer(history.Ok, func(op *history.Operation) { op.Key, op.Token = k.name, k.create })
			}, nil, func(id int64, outcome history.Outcome) {
				if outcome != history.Ok {
					s.closeSession(c, func() { s.open(c); start() })
					return
				}
				s.held(c, id, k, 1, start)
			})
			return
		}
	}
	s.open(c)
	start()
}

// The bugs that can be planted in the service.
const (
	winsWithoutKey       = "wins without its key"
	twoOwners            = "two owners"
	readersIgnoreWriters = "readers ignore writers"
	lazyRelease          = "releases later than it says"
	lazyClose            = "closes later than it says"
	believesStaleTokens  = "believes stale tokens"
	staleReads           = "stale reads"
	observesHalf         = "observes half of it"
	immortalLeases       = "leases never end"
	forgetsLostKeys      = "forgets the keys of calls that failed"
	forgetsReleases      = "forgets releases that failed"
	waitsForNeighbours   = "waits for the keys of locks below"
	endsSilently         = "observations end with a compaction"
)

// simulate runs one whole run of the ideal service.
func simulate(seed uint64, primitive history.Primitive) *ideal {
	return simulateBug(seed, primitive, "")
}

// simulateBug runs one whole run of a service that gets one thing wrong.
func simulateBug(seed uint64, primitive history.Primitive, bug string) *ideal {
	s := &ideal{
		bug:    bug,
		random: rand.New(rand.NewPCG(seed, 1)), primitive: primitive, subject: "x", ttl: 300 * time.Millisecond,
		keys: make(map[string]*idealKey), leases: make(map[int64]*idealLease), observations: make(map[*idealObject]func()),
	}
	s.revision = 1
	s.until = time.Second + s.upTo(4*time.Second)
	names := []string{"o0", "o1", "o0/b", "o01"}
	if s.chance(50) {
		names = []string{"o0", "o0/b", "o0/b/c"}
	}
	for _, name := range names[:1+s.random.IntN(2)] {
		s.objects = append(s.objects, &idealObject{name: name})
	}
	s.sharing = s.chance(25)
	s.event(history.Event{Kind: history.PhaseBegan, Detail: history.PhaseLoad})
	s.tick(true)
	s.running = 2 + s.random.IntN(4)
	var previous *idealClient
	for i := range s.running {
		c := &idealClient{name: fmt.Sprintf("c%d", i), heeds: s.chance(60)}
		if s.sharing && i%2 == 1 {
			c.shares = previous
		}
		previous = c
		s.open(c)
		s.after(s.upTo(50*time.Millisecond), func() { s.run(c) })
		s.chaos(c)
	}
	if primitive == history.Election {
		for i, ob := range s.objects {
			s.observe(&idealClient{name: fmt.Sprintf("w%d", i)}, ob)
		}
	}
	s.after(s.until, func() {
		s.healed = true
		s.event(history.Event{Kind: history.PhaseBegan, Detail: history.PhaseHealed})
	})
	s.after(s.until+20*time.Second, s.finalPhase) // should a bug have stopped all
	for len(s.timers) > 0 && s.now < time.Minute {
		t := heap.Pop(&s.timers).(timer)
		s.now = t.time
		t.run()
	}
	sort.SliceStable(s.records, func(i, j int) bool { return s.records[i].time < s.records[j].time })
	return s
}

// observe opens one observation; it delivers in order, each a little late.
func (s *ideal) observe(c *idealClient, ob *idealObject) {
	id := s.begin(history.Operation{Client: c.name, Subject: s.subject, Object: ob.name, Kind: history.Observe})
	var last time.Duration
	began, over := s.now, false
	end := func() {
		over = true
		s.finish(id, history.Ok, func(op *history.Operation) { op.Number = 1 })
		s.observe(c, ob)
	}
	if s.chance(50) { // it is lost, and the client opens the next
		s.after(s.upTo(s.until), func() {
			if over || s.now >= s.until || s.compacted >= began && s.compacted > 0 {
				return
			}
			end()
		})
	}
	s.observations[ob] = end
	ob.watchers = append(ob.watchers, func(value string, k *idealKey, revision int64) {
		if over || s.bug == observesHalf && s.chance(50) {
			return
		}
		e := history.Event{Kind: history.Observed, Client: c.name, Subject: s.subject, Object: ob.name, Operation: id,
			Value: value, Key: k.name, Token: k.create, Revision: revision}
		last = max(last, s.now+s.upTo(300*time.Millisecond))
		s.after(last-s.now, func() {
			if !s.ended && !over {
				s.event(e)
			}
		})
	})
}
