package checker

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"sort"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// ideal simulates, in virtual time, clients of a lock service that keeps every
// promise: a store with leases and queues of keys, slow and stalled answers,
// clients that are cut off and believe on, that crash and are replaced, that
// give up waiting, that reuse sessions or share one, that release twice or
// without a hold, that are told late or never; locks below locks, compactions,
// and observations that end by themselves. What it records is judged without a single violation, but for lease overlaps,
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

	lastID    int64
	lastVal   int
	lastFault int64
	compacted time.Duration // when the store was compacted last
	// observations end the open observation of an object.
	observations map[*idealObject]func()
	records      []idealRecord
	running      int
	sharing      bool // some clients share a session
	healed       bool
	concluded    bool
	ended        bool

	faults []history.Fault

	// bug is the one thing that this service gets wrong; "" is none.
	bug string
}

// idealRecord is one line of the run's files.
type idealRecord struct {
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
	// cancelled is true if nobody wants it any more: it is not made then.
	cancelled bool
	keeps     bool // its client kept its session although it gave it up
	onOwn     func()
	onGone    func()
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
	stale    string // what a stale read returns
	token    int64
	position int64
}

type idealClient struct {
	name     string
	lease    int64
	dead     bool
	cutUntil time.Duration
	heeds    bool
	told     bool         // of the loss of its session
	shares   *idealClient // whose session it uses, or nil
	onLost   func()       // what a heeded loss interrupts
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
	s.records = append(s.records, idealRecord{s.now, false, apply})
}

func (s *ideal) event(e history.Event) {
	e.Time = s.now
	s.record(func(f *idealFiles) { f.h.Events = append(f.h.Events, e) })
}

// fault records a fault that lasts until a time.
func (s *ideal) fault(kind, target string, until time.Duration) {
	s.lastFault++
	from, place := s.now, int(s.lastFault-1)
	fault := history.Fault{ID: s.lastFault, Kind: kind, Target: target, From: from, Verified: true}
	s.record(func(f *idealFiles) { f.h.Faults = append(f.h.Faults, fault) })
	s.after(until-s.now, func() {
		to := s.now
		s.record(func(f *idealFiles) { f.h.Faults[place].To = to })
	})
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
	now, requests := s.now, 1+s.random.Int64N(8)
	s.record(func(f *idealFiles) {
		op := &f.h.Operations[f.at[id]]
		op.Return, op.Outcome, op.Requests = now, outcome, requests
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
		s.records = append(s.records, idealRecord{seen, true, func(f *idealFiles) { apply(f, seen) }})
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
		if !k.granted && k.onGone != nil && s.bug != winsWithoutKey {
			k.onGone()
		}
	}
	for _, ob := range s.objects {
		if first, ok := touched[ob]; ok {
			s.settle(ob)
			if s.bug == waitsForNeighbours {
				for _, above := range s.objects {
					s.settle(above)
				}
			}
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

// neighbour is true if there is an older key of a lock below a key's.
func (s *ideal) neighbour(k *idealKey) bool {
	for _, ob := range s.objects {
		if strings.HasPrefix(ob.name, k.object.name+"/") && len(ob.queue) > 0 && ob.queue[0].create < k.create {
			return true
		}
	}
	return false
}

// settle grants whatever owns now.
func (s *ideal) settle(ob *idealObject) {
	writers := false
	for i, k := range ob.queue {
		owns := i == 0 && !(s.bug == waitsForNeighbours && s.neighbour(k)) || k.mode == history.ReadMode && (!writers || s.bug == readersIgnoreWriters) || s.bug == twoOwners && i == 1
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
	} else { // the key by which the lease is known goes in any case
		s.revision++
		gone := s.revision
		s.toLog(func(f *idealFiles, seen time.Duration) {
			f.changes = append(f.changes, history.Change{Revision: gone, Time: seen, Key: fmt.Sprintf("p/leases/%x", l.id), Deleted: true})
		})
	}
	rev := s.revision
	s.toLog(func(f *idealFiles, seen time.Duration) {
		f.ends = append(f.ends, history.LeaseEnd{Lease: l.id, Revision: rev, Time: seen})
	})
}

// open gives a client a session: that of the client with which it shares, as
// long as that one has it, or one of its own.
func (s *ideal) open(c *idealClient) {
	if o := c.shares; o != nil {
		if l := s.leases[o.lease]; l != nil && !l.dead && !o.dead && !o.told {
			c.lease, c.told, c.onLost = o.lease, false, nil
			return
		}
		c.shares = nil
	}
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
			if s.bug == immortalLeases {
				return
			}
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
	for _, fault := range s.faults {
		if fault.From <= f.h.End {
			f.h.Faults = append(f.h.Faults, fault)
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
