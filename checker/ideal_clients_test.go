package checker

import (
	"fmt"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// --- the network

func (s *ideal) send(c *idealClient, run func()) {
	wait := max(0, c.cutUntil-s.now)
	s.after(wait+s.upTo(20*time.Millisecond), run)
}

func (s *ideal) reply(c *idealClient, run func()) {
	d := s.upTo(20 * time.Millisecond)
	if s.chance(5) {
		d = s.upTo(ownedInVain - 50*time.Millisecond) // a very late answer
	}
	s.after(max(0, c.cutUntil-s.now)+d, func() {
		if !c.dead {
			run()
		}
	})
}

// --- the clients

// call makes one call: serve runs at the store, gets the means to answer, and
// then is told the outcome. A call with a deadline ends as Info by it.
func (s *ideal) call(c *idealClient, op history.Operation, limit time.Duration, serve func(answer func(history.Outcome, func(*history.Operation))), giveUp func(), then func(int64, history.Outcome)) {
	op.Client, op.Subject, op.Lease = c.name, s.subject, c.lease
	if limit > 0 {
		op.Deadline = s.now + limit
	}
	id := s.begin(op)
	done := false
	s.send(c, func() {
		serve(func(outcome history.Outcome, fill func(*history.Operation)) {
			s.reply(c, func() {
				if !done {
					done = true
					s.finish(id, outcome, fill)
					then(id, outcome)
				}
			})
		})
	})
	if limit > 0 {
		s.after(limit, func() {
			if c.dead || done {
				return
			}
			done = true
			switch {
			case giveUp == nil:
			case s.bug == lazyClose: // there has to be a key when it closes
				s.send(c, giveUp)
			case c.cutUntil > s.now: // it does what it can, and does not wait for it
				s.after(c.cutUntil-s.now, giveUp)
			default:
				giveUp()
			}
			s.finish(id, history.Info, nil)
			then(id, history.Info)
		})
	}
}

func (s *ideal) acquire(c *idealClient, ob *idealObject, mode history.Mode, value string, limit time.Duration, try bool, then func(int64, *idealKey)) {
	op := history.Operation{Object: ob.name, Kind: history.Acquire, Mode: mode, Value: value}
	switch {
	case s.primitive == history.Election:
		op.Kind = history.Campaign
	case try:
		op.Kind = history.TryAcquire
	}
	s.serial++
	name := fmt.Sprintf("p/%s/%s/%x", s.subject, ob.name, c.lease)
	if s.sharing { // then no two requests of a session have one key
		name += fmt.Sprintf("-%d", s.serial)
	}
	switch mode {
	case history.ReadMode:
		name = fmt.Sprintf("p/%s/%s/read/%d", s.subject, ob.name, s.serial)
	case history.WriteMode:
		name = fmt.Sprintf("p/%s/%s/write/%d", s.subject, ob.name, s.serial)
	}
	k := &idealKey{name: name, lease: c.lease, mode: mode, object: ob}
	s.call(c, op, limit, func(answer func(history.Outcome, func(*history.Operation))) {
		if s.leases[k.lease].dead || s.keys[name] != nil || k.cancelled {
			answer(history.Fail, nil)
			return
		}
		if s.chance(3) { // the service is too busy
			s.after(s.upTo(300*time.Millisecond), func() { answer(history.Fail, nil) })
			return
		}
		k.onOwn = func() {
			rev := s.revision
			answer(history.Ok, func(op *history.Operation) { op.Key, op.Token, op.Revision = k.name, k.create, rev })
		}
		k.onGone = func() {
			answer(history.Fail, func(op *history.Operation) {
				if try {
					op.Number = 1 // the other one's fault, as far as it can tell
				}
			})
		}
		if s.bug == winsWithoutKey { // it looks at the keys before it, and never at its own
			older := append([]*idealKey(nil), ob.queue...)
			var wait func()
			wait = func() {
				for _, o := range older {
					if s.keys[o.name] == o && (mode != history.ReadMode || o.mode != history.ReadMode) {
						s.after(10*time.Millisecond, wait)
						return
					}
				}
				if !k.granted {
					k.onOwn()
				}
			}
			wait()
		}
		s.put(k, value)
		if try && !k.granted {
			s.remove(k)
		}
	}, func() {
		k.cancelled = k.keeps
		if s.keys[k.name] == k && s.bug != forgetsLostKeys {
			s.remove(k)
		}
	}, func(id int64, outcome history.Outcome) {
		if outcome != history.Ok {
			k.keeps = outcome == history.Info && (c.shares != nil || s.chance(30) || s.bug == forgetsLostKeys)
			if k.keeps {
				s.after(time.Millisecond+s.upTo(20*time.Millisecond), func() { s.regret(c, k, func() { then(id, nil) }) })
				return
			}
			then(id, nil)
			return
		}
		then(id, k)
	})
}

// regret is what a client does that keeps its session after a call of which it
// does not know what came: it gives up, or proclaims, what it may not have.
func (s *ideal) regret(c *idealClient, k *idealKey, then func()) {
	if c.dead {
		return
	}
	type answer = func(history.Outcome, func(*history.Operation))
	next := then
	if s.primitive == history.Election && s.chance(50) {
		op := history.Operation{Object: k.object.name, Kind: history.Proclaim, Value: s.value()}
		next = func() {
			s.call(c, op, 300*time.Millisecond, func(a answer) {
				if s.keys[k.name] != k || !k.granted || s.bug == forgetsLostKeys {
					a(history.Fail, nil)
					return
				}
				s.put(k, op.Value)
				a(history.Ok, nil)
			}, nil, func(int64, history.Outcome) { then() })
		}
	}
	if s.chance(30) {
		next()
		return
	}
	op := history.Operation{Object: k.object.name, Kind: history.Release, Mode: k.mode}
	if s.primitive == history.Election {
		op.Kind = history.Resign
	}
	s.call(c, op, 0, func(a answer) {
		k.cancelled = true
		if s.keys[k.name] != k || s.bug == forgetsLostKeys {
			a(history.Fail, nil)
			return
		}
		s.remove(k)
		a(history.Ok, nil)
	}, nil, func(int64, history.Outcome) { next() })
}

func (s *ideal) release(c *idealClient, hold int64, k *idealKey, limit time.Duration, then func(history.Outcome)) {
	op := history.Operation{Object: k.object.name, Kind: history.Release, Hold: hold, Key: k.name, Token: k.create}
	if s.primitive == history.Election {
		op.Kind = history.Resign
	}
	s.call(c, op, limit, func(answer func(history.Outcome, func(*history.Operation))) {
		if s.bug == forgetsReleases && limit > 0 { // the request does not arrive
			return
		}
		if s.keys[k.name] == k && s.bug != forgetsReleases {
			if s.bug == lazyRelease {
				s.after(200*time.Millisecond, func() { s.remove(k) })
			} else {
				s.remove(k)
			}
		} else if s.chance(30) { // there is nothing to give up
			answer(history.Fail, nil)
			return
		}
		answer(history.Ok, nil)
	}, nil, func(_ int64, outcome history.Outcome) { then(outcome) })
}

func (s *ideal) closeSession(c *idealClient, then func()) {
	if c.shares != nil { // it is not its own
		then()
		return
	}
	l := s.leases[c.lease]
	c.onLost, c.told = nil, true
	s.call(c, history.Operation{Kind: history.CloseSession}, 0, func(answer func(history.Outcome, func(*history.Operation))) {
		if s.bug == lazyClose {
			s.after(100*time.Millisecond, func() { s.endLease(l) })
		} else {
			s.endLease(l)
		}
		answer(history.Ok, nil)
	}, nil, func(int64, history.Outcome) { then() })
}

func (s *ideal) value() string { s.lastVal++; return fmt.Sprintf("v%d", s.lastVal) }

// inside does some work within a hold and calls then, unless the loss of the
// session stops it.
func (s *ideal) inside(c *idealClient, hold int64, k *idealKey, steps int, then func(sure bool)) {
	stopped := false
	c.onLost = func() { stopped = true; then(false) }
	var next func(int)
	next = func(n int) {
		if stopped || c.dead {
			return
		}
		if n == 0 {
			if !stopped {
				stopped = true
				c.onLost = nil
				then(true)
			}
			return
		}
		more := func() { s.after(s.upTo(60*time.Millisecond), func() { next(n - 1) }) }
		s.work(c, hold, k, func(outcome history.Outcome) {
			switch {
			case stopped || c.dead:
			case outcome == history.Info:
				stopped = true
				c.onLost = nil
				then(false)
			default:
				more()
			}
		})
	}
	length := s.upTo(100 * time.Millisecond)
	if s.chance(15) && !s.healed {
		length = s.upTo(1500 * time.Millisecond)
		if s.bug == waitsForNeighbours {
			length = 3 * time.Second
		}
	}
	s.after(length, func() { next(steps) })
}

// work is one thing that a holder does.
func (s *ideal) work(c *idealClient, hold int64, k *idealKey, then func(history.Outcome)) {
	ob := k.object
	op := history.Operation{Object: ob.name, Hold: hold, Key: k.name, Token: k.create}
	type answer = func(history.Outcome, func(*history.Operation))
	finish := func(_ int64, outcome history.Outcome) { then(outcome) }
	switch pick := s.random.IntN(4); {
	case k.mode == history.ReadMode:
		then(history.Ok)
	case pick == 0 && s.primitive == history.Election:
		op.Kind, op.Value = history.Proclaim, s.value()
		s.call(c, op, 300*time.Millisecond, func(a answer) {
			if s.keys[k.name] != k {
				a(history.Fail, nil)
				return
			}
			s.put(k, op.Value)
			a(history.Ok, nil)
		}, nil, finish)
	case pick == 1:
		op.Kind, op.Value = history.GuardedWrite, s.value()
		s.call(c, op, 300*time.Millisecond, func(a answer) {
			if s.keys[k.name] != k {
				a(history.Fail, nil)
				return
			}
			name := "p/guarded/" + s.subject + "/" + ob.name
			if s.keys[name] == nil {
				s.keys[name] = &idealKey{name: name}
			}
			s.put(s.keys[name], op.Value)
			rev := s.revision
			a(history.Ok, func(op *history.Operation) { op.Revision = rev })
		}, nil, finish)
	case pick == 2:
		s.update(c, ob, op, true, then)
	default:
		s.update(c, ob, op, false, then)
	}
}

// update reads and writes one of the object's protected resources.
func (s *ideal) update(c *idealClient, ob *idealObject, op history.Operation, fenced bool, then func(history.Outcome)) {
	type answer = func(history.Outcome, func(*history.Operation))
	read, write, value := history.Read, history.Write, &ob.plain
	if fenced {
		read, write, value = history.FencedRead, history.FencedWrite, &ob.fenced
	}
	refused := func(a answer) bool {
		if fenced && op.Token < ob.token && s.bug != believesStaleTokens {
			a(history.Fail, nil)
			return true
		}
		if fenced {
			ob.token = op.Token
		}
		return false
	}
	reading := op
	reading.Kind = read
	saw := ""
	s.call(c, reading, 300*time.Millisecond, func(a answer) {
		if refused(a) {
			return
		}
		ob.position++
		got, position := *value, ob.position
		a(history.Ok, func(op *history.Operation) { op.Value, op.Revision = got, position; saw = got })
		saw = got
	}, nil, func(_ int64, outcome history.Outcome) {
		if outcome != history.Ok {
			then(outcome)
			return
		}
		writing := op
		writing.Kind, writing.Prior, writing.Value = write, saw, s.value()
		s.call(c, writing, 300*time.Millisecond, func(a answer) {
			if refused(a) {
				return
			}
			ob.position++
			*value = writing.Value
			position := ob.position
			a(history.Ok, func(op *history.Operation) { op.Revision = position })
		}, nil, func(_ int64, outcome history.Outcome) { then(outcome) })
	})
}

// run is a client's life: rounds until the load ends, then one last round.
func (s *ideal) run(c *idealClient) {
	if c.dead {
		return
	}
	if s.healed {
		s.lastRound(c, 0)
		return
	}
	again := func() { s.after(s.upTo(200*time.Millisecond), func() { s.run(c) }) }
	if c.told || s.chance(5) {
		s.closeSession(c, func() { s.open(c); again() })
		return
	}
	ob := s.objects[s.random.IntN(len(s.objects))]
	if s.primitive == history.Election && s.chance(40) {
		s.call(c, history.Operation{Kind: history.Leader, Object: ob.name}, 0, func(answer func(history.Outcome, func(*history.Operation))) {
			got, rev := "", s.revision
			if len(ob.queue) > 0 {
				got = ob.queue[0].value
			}
			if s.bug == staleReads && s.chance(30) {
				got = ob.stale
			}
			ob.stale = got
			answer(history.Ok, func(op *history.Operation) { op.Value, op.Revision = got, rev })
		}, nil, func(int64, history.Outcome) { again() })
		return
	}
	limit := time.Duration(0)
	if s.chance(60) {
		limit = 50*time.Millisecond + s.upTo(900*time.Millisecond)
		if s.chance(20) || s.bug == waitsForNeighbours {
			limit += 2 * time.Second
		}
	}
	s.acquire(c, ob, s.mode(), s.value(), limit, s.chance(20) && s.primitive == history.Mutex, func(id int64, k *idealKey) {
		if k == nil {
			s.closeSession(c, func() { s.open(c); again() })
			return
		}
		s.held(c, id, k, s.random.IntN(3), func() { again() })
	})
}

func (s *ideal) mode() history.Mode {
	if s.primitive != history.RWMutex {
		return ""
	}
	if s.chance(60) {
		return history.ReadMode
	}
	return history.WriteMode
}

// held lives through a hold and what follows it.
func (s *ideal) held(c *idealClient, hold int64, k *idealKey, steps int, then func()) {
	renew := func() { s.closeSession(c, func() { s.open(c); then() }) }
	s.inside(c, hold, k, steps, func(sure bool) {
		if c.told && c.heeds {
			renew()
			return
		}
		limit := time.Duration(0)
		if s.chance(50) && !s.healed && c.shares == nil {
			limit = 200 * time.Millisecond
		}
		done := func(outcome history.Outcome) {
			if !sure || outcome != history.Ok || c.told {
				renew()
				return
			}
			then()
		}
		s.release(c, hold, k, limit, func(outcome history.Outcome) {
			if !s.chance(30) {
				done(outcome)
				return
			}
			s.release(c, hold, k, 0, func(history.Outcome) { done(outcome) }) // once more
		})
	})
}
