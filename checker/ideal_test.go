package checker

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"sort"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// ideal simulates, in virtual time, clients of a lock service that keeps every
// promise: a store with leases and queues of keys, slow and stalled answers,
// clients that are cut off and believe on, that crash and are replaced, that
// give up waiting, that reuse sessions, that are told late or never. What it
// records is judged without a single violation, but for lease overlaps,
// wherever the record is cut. Delays are often zero, so equal times abound.
type ideal struct {
	random *rand.Rand
	now    time.Duration
	timers timers
	serial int

	primitive history.Primitive
	subject   string
	ttl       time.Duration
	until     time.Duration // the load's end

	revision  int64
	keys      map[string]*idealKey
	leases    map[int64]*idealLease
	lastLease int64
	objects   []*idealObject
	seen      time.Duration // the log's last record: a watch keeps order

	lastID  int64
	lastVal int
	records []record1
	clients int
	running int
	healed  bool
	ended   bool
}

// record1 is one line of the run's files.
type record1 struct {
	time  time.Duration
	toLog bool
	apply func(*idealFiles)
}

type idealKey struct {
	name    string
	create  int64
	version int64
	lease   int64
	value   string
	mode    history.Mode
	object  *idealObject
	granted bool
	onOwn   func()
	onGone  func()
}

type idealLease struct {
	id     int64
	owner  *idealClient
	expire time.Duration
	dead   bool
}

type idealObject struct {
	name     string
	queue    []*idealKey // by create
	watchers []func(value string, k *idealKey, revision int64)
	plain    string
	fenced   string
	token    int64
	position int64
}

type idealClient struct {
	name     string
	lease    int64
	dead     bool
	cutUntil time.Duration
	heeds    bool
	told     bool   // of the loss of its session
	onLost   func() // what a heeded loss interrupts
}

// --- time

type timer struct {
	time   time.Duration
	serial int
	run    func()
}

type timers []timer

func (t timers) Len() int { return len(t) }
func (t timers) Less(i, j int) bool {
	return t[i].time < t[j].time || t[i].time == t[j].time && t[i].serial < t[j].serial
}
func (t timers) Swap(i, j int) { t[i], t[j] = t[j], t[i] }
func (t *timers) Push(x any)   { *t = append(*t, x.(timer)) }
func (t *timers) Pop() any {
	last := (*t)[len(*t)-1]
	*t = (*t)[:len(*t)-1]
	return last
}

func (s *ideal) after(d time.Duration, run func()) {
	s.serial++
	heap.Push(&s.timers, timer{s.now + d, s.serial, run})
}

func (s *ideal) upTo(d time.Duration) time.Duration {
	if s.random.IntN(3) == 0 {
		return 0
	}
	return time.Duration(s.random.Int64N(int64(d))).Truncate(time.Millisecond)
}

func (s *ideal) chance(percent int) bool { return s.random.IntN(100) < percent }

// --- records

func (s *ideal) record(apply func(*idealFiles)) {
	s.records = append(s.records, record1{s.now, false, apply})
}

func (s *ideal) event(e history.Event) {
	e.Time = s.now
	s.record(func(f *idealFiles) { f.h.Events = append(f.h.Events, e) })
}

func (s *ideal) begin(op history.Operation) int64 {
	s.lastID++
	op.ID, op.Call = s.lastID, s.now
	s.record(func(f *idealFiles) {
		f.at[op.ID] = len(f.h.Operations)
		f.h.Operations = append(f.h.Operations, op)
	})
	return op.ID
}

func (s *ideal) finish(id int64, outcome history.Outcome, fill func(*history.Operation)) {
	now := s.now
	s.record(func(f *idealFiles) {
		op := &f.h.Operations[f.at[id]]
		op.Return, op.Outcome = now, outcome
		if fill != nil {
			fill(op)
		}
	})
}

// toLog records what the watch sees, in order and a little late.
func (s *ideal) toLog(apply func(f *idealFiles, seen time.Duration)) {
	s.seen = max(s.seen, s.now+s.upTo(40*time.Millisecond))
	s.after(s.seen-s.now, func() {
		seen := s.now
		s.records = append(s.records, record1{seen, true, func(f *idealFiles) { apply(f, seen) }})
	})
}

// --- the store

func (s *ideal) put(k *idealKey, value string) {
	s.revision++
	if k.create == 0 {
		k.create = s.revision
		s.keys[k.name] = k
		if k.object != nil {
			k.object.queue = append(k.object.queue, k)
		}
	}
	k.version++
	k.value = value
	c := history.Change{Revision: s.revision, Key: k.name, Create: k.create, Version: k.version, Lease: k.lease, Value: value}
	s.toLog(func(f *idealFiles, seen time.Duration) { c.Time = seen; f.changes = append(f.changes, c) })
	if k.object != nil {
		s.settle(k.object)
		if len(k.object.queue) > 0 && k.object.queue[0] == k {
			k.object.tell(k, s.revision)
		}
	}
}

// remove deletes keys in one revision.
func (s *ideal) remove(keys ...*idealKey) {
	s.revision++
	rev := s.revision
	var gone []*idealKey
	touched := make(map[*idealObject]*idealKey)
	for _, k := range keys {
		if s.keys[k.name] != k {
			continue
		}
		delete(s.keys, k.name)
		gone = append(gone, k)
		if ob := k.object; ob != nil {
			if _, ok := touched[ob]; !ok {
				touched[ob] = ob.queue[0]
			}
			for i := range ob.queue {
				if ob.queue[i] == k {
					ob.queue = append(ob.queue[:i:i], ob.queue[i+1:]...)
					break
				}
			}
		}
		name := k.name
		s.toLog(func(f *idealFiles, seen time.Duration) {
			f.changes = append(f.changes, history.Change{Revision: rev, Time: seen, Key: name, Deleted: true})
		})
	}
	for _, k := range gone {
		if !k.granted && k.onGone != nil {
			k.onGone()
		}
	}
	for _, ob := range s.objects {
		if first, ok := touched[ob]; ok {
			s.settle(ob)
			if len(ob.queue) > 0 && ob.queue[0] != first {
				ob.tell(ob.queue[0], rev)
			}
		}
	}
}

func (ob *idealObject) tell(k *idealKey, revision int64) {
	for _, w := range ob.watchers {
		w(k.value, k, revision)
	}
}

// settle grants whatever owns now.
func (s *ideal) settle(ob *idealObject) {
	writers := false
	for i, k := range ob.queue {
		owns := i == 0 || k.mode == history.ReadMode && !writers
		if owns && !k.granted {
			k.granted = true
			if k.onOwn != nil {
				k.onOwn()
			}
		}
		writers = writers || k.mode != history.ReadMode
	}
}

func (s *ideal) endLease(l *idealLease) {
	if l.dead {
		return
	}
	l.dead = true
	var keys []*idealKey
	for _, k := range s.keys {
		if k.lease == l.id {
			keys = append(keys, k)
		}
	}
	sort.Slice(keys, func(i, j int) bool { return keys[i].name < keys[j].name })
	if len(keys) > 0 {
		s.remove(keys...)
	}
	rev := s.revision
	s.toLog(func(f *idealFiles, seen time.Duration) {
		f.ends = append(f.ends, history.LeaseEnd{Lease: l.id, Revision: rev, Time: seen})
	})
}

func (s *ideal) open(c *idealClient) {
	s.lastLease++
	l := &idealLease{id: s.lastLease, owner: c, expire: s.now + s.ttl}
	s.leases[l.id] = l
	c.lease, c.told, c.onLost = l.id, false, nil
	s.event(history.Event{Kind: history.SessionOpened, Client: c.name, Lease: l.id, TTL: s.ttl})
	s.watchLease(l)
	s.keepAlive(l)
}

func (s *ideal) keepAlive(l *idealLease) {
	s.after(s.ttl/3, func() {
		if l.dead || s.ended {
			return
		}
		if o := l.owner; !o.dead && o.lease == l.id && o.cutUntil <= s.now {
			l.expire = s.now + s.ttl
		}
		s.keepAlive(l)
	})
}

func (s *ideal) watchLease(l *idealLease) {
	s.after(l.expire-s.now, func() {
		switch {
		case l.dead:
		case s.now < l.expire:
			s.watchLease(l)
		default:
			s.endLease(l)
			if s.chance(80) {
				s.after(s.upTo(600*time.Millisecond), func() { s.lose(l.owner, l.id) })
			}
		}
	})
}

// lose tells a client that its session is over.
func (s *ideal) lose(c *idealClient, lease int64) {
	if c.dead || c.lease != lease || c.told || s.ended {
		return
	}
	c.told = true
	s.event(history.Event{Kind: history.Lost, Client: c.name, Lease: lease, Heeded: c.heeds})
	if c.heeds && c.onLost != nil {
		stop := c.onLost
		c.onLost = nil
		stop()
	}
}

// --- the network

func (s *ideal) send(c *idealClient, run func()) {
	wait := max(0, c.cutUntil-s.now)
	s.after(wait+s.upTo(20*time.Millisecond), run)
}

func (s *ideal) reply(c *idealClient, run func()) {
	d := s.upTo(20 * time.Millisecond)
	if s.chance(5) {
		d = s.upTo(1500 * time.Millisecond) // a very late answer
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
			if giveUp != nil {
				s.send(c, giveUp)
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
	switch mode {
	case history.ReadMode:
		name = fmt.Sprintf("p/%s/%s/read/%d", s.subject, ob.name, s.serial)
	case history.WriteMode:
		name = fmt.Sprintf("p/%s/%s/write/%d", s.subject, ob.name, s.serial)
	}
	k := &idealKey{name: name, lease: c.lease, mode: mode, object: ob}
	s.call(c, op, limit, func(answer func(history.Outcome, func(*history.Operation))) {
		if s.leases[k.lease].dead || s.keys[name] != nil {
			answer(history.Fail, nil)
			return
		}
		k.onOwn = func() {
			rev := s.revision
			answer(history.Ok, func(op *history.Operation) { op.Key, op.Token, op.Revision = k.name, k.create, rev })
		}
		k.onGone = func() { answer(history.Fail, nil) }
		s.put(k, value)
		if try && !k.granted {
			s.remove(k)
		}
	}, func() {
		if s.keys[k.name] == k {
			s.remove(k)
		}
	}, func(id int64, outcome history.Outcome) {
		if outcome != history.Ok {
			then(id, nil)
			return
		}
		then(id, k)
	})
}

func (s *ideal) release(c *idealClient, hold int64, k *idealKey, limit time.Duration, then func(history.Outcome)) {
	op := history.Operation{Object: k.object.name, Kind: history.Release, Hold: hold, Key: k.name, Token: k.create}
	if s.primitive == history.Election {
		op.Kind = history.Resign
	}
	s.call(c, op, limit, func(answer func(history.Outcome, func(*history.Operation))) {
		if s.keys[k.name] == k {
			s.remove(k)
		}
		answer(history.Ok, nil)
	}, nil, func(_ int64, outcome history.Outcome) { then(outcome) })
}

func (s *ideal) closeSession(c *idealClient, then func()) {
	l := s.leases[c.lease]
	c.onLost, c.told = nil, true
	s.call(c, history.Operation{Kind: history.CloseSession}, 0, func(answer func(history.Outcome, func(*history.Operation))) {
		s.endLease(l)
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
			g := &idealKey{name: "p/guard/" + op.Value}
			s.put(g, op.Value)
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
		if fenced && op.Token < ob.token {
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
			answer(history.Ok, func(op *history.Operation) { op.Value, op.Revision = got, rev })
		}, nil, func(int64, history.Outcome) { again() })
		return
	}
	limit := time.Duration(0)
	if s.chance(60) {
		limit = 50*time.Millisecond + s.upTo(900*time.Millisecond)
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
		if s.chance(50) && !s.healed {
			limit = 200 * time.Millisecond
		}
		s.release(c, hold, k, limit, func(outcome history.Outcome) {
			if !sure || outcome != history.Ok || c.told {
				renew()
				return
			}
			then()
		})
	})
}

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
	finish := func() {
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
	if s.primitive != history.Election {
		finish()
		return
	}
	waiting := len(s.objects)
	for _, ob := range s.objects {
		s.acquire(last, ob, "", s.value(), 0, false, func(int64, *idealKey) {
			waiting--
			if waiting == 0 {
				s.after(1700*time.Millisecond, finish)
			}
		})
	}
}

func (s *ideal) tick(again bool) {
	call := s.now
	s.after(s.upTo(10*time.Millisecond), func() {
		rev := s.revision
		s.after(s.upTo(10*time.Millisecond), func() {
			back := s.now
			s.records = append(s.records, record1{back, true, func(f *idealFiles) {
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
		case s.chance(25):
			s.event(history.Event{Kind: history.Crashed, Client: c.name})
			c.dead = true
			next := &idealClient{name: c.name + ".1", heeds: c.heeds}
			s.after(s.upTo(400*time.Millisecond), func() { s.replace(c, next) })
			return
		case s.chance(60):
			c.cutUntil = s.now + s.upTo(2500*time.Millisecond)
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

// simulate runs one whole run and returns its records.
func simulate(seed uint64, primitive history.Primitive) *ideal {
	s := &ideal{
		random: rand.New(rand.NewPCG(seed, 1)), primitive: primitive, subject: "x", ttl: 300 * time.Millisecond,
		keys: make(map[string]*idealKey), leases: make(map[int64]*idealLease),
	}
	s.revision = 1
	s.until = time.Second + s.upTo(4*time.Second)
	for i := range 1 + s.random.IntN(2) {
		s.objects = append(s.objects, &idealObject{name: fmt.Sprintf("o%d", i)})
	}
	s.event(history.Event{Kind: history.PhaseBegan, Detail: history.PhaseLoad})
	s.tick(true)
	s.running = 2 + s.random.IntN(4)
	for i := range s.running {
		c := &idealClient{name: fmt.Sprintf("c%d", i), heeds: s.chance(60)}
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
	for len(s.timers) > 0 {
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
	ob.watchers = append(ob.watchers, func(value string, k *idealKey, revision int64) {
		e := history.Event{Kind: history.Observed, Client: c.name, Subject: s.subject, Object: ob.name, Operation: id,
			Value: value, Key: k.name, Token: k.create, Revision: revision}
		last = max(last, s.now+s.upTo(300*time.Millisecond))
		s.after(last-s.now, func() {
			if !s.ended {
				s.event(e)
			}
		})
	})
}

// --- files

// idealFiles are the run's files up to where they were cut.
type idealFiles struct {
	h       history.History
	at      map[int64]int
	changes []history.Change
	ends    []history.LeaseEnd
	ticks   []history.Tick
}

// cut returns the history as it stands after the first of all records and the
// first logged of the log's; whole tells that nothing is missing.
func (s *ideal) cut(all, logged int, layout history.Layout, gaps ...history.Gap) *history.History {
	f := &idealFiles{at: make(map[int64]int)}
	f.h.Header = history.Header{Version: 1, Prefix: "p/", Subjects: []history.SubjectInfo{
		{Name: s.subject, Primitive: s.primitive, Origin: history.FromEtcd, Layout: layout},
	}}
	for i, r := range s.records {
		if r.toLog && i < logged || !r.toLog && i < all {
			r.apply(f)
			if !r.toLog {
				f.h.End = r.time
			}
		}
	}
	through := int64(0)
	if all == len(s.records) && logged == all {
		through = s.revision
	}
	missing := func(rev int64) bool {
		for _, g := range gaps {
			if g.From <= rev && rev <= g.Through {
				return true
			}
		}
		return false
	}
	var changes []history.Change
	for _, c := range f.changes {
		if !missing(c.Revision) {
			changes = append(changes, c)
		}
	}
	var ends []history.LeaseEnd
	for _, e := range f.ends {
		if !missing(e.Revision) {
			ends = append(ends, e)
		}
	}
	f.h.Revisions = history.NewRevisionLog(1, through, changes, ends, f.ticks, gaps)
	return &f.h
}

// layout is how the primitive's ownership shows.
func (s *ideal) layout() history.Layout {
	if s.primitive == history.RWMutex {
		return history.ReadWriteKeys
	}
	return history.OldestKey
}
