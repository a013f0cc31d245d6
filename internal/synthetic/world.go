package synthetic

import (
	"bufio"
	"container/heap"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// world is the simulation: virtual time, the store, and the files.
type world struct {
	options Options
	random  *rand.Rand
	now     time.Duration
	timers  timers
	serial  int

	history, revisions, faults *bufio.Writer
	stamped, seen              time.Duration // the last record's and the last change's
	lastID, lastFault          int64

	revision  int64
	lastLease int64
	keys      map[string]*key
	owned     map[int64][]*key // by lease

	objects []*object
	clients []*client
	phase   int
	idle    int // clients with nothing to do in this phase
	planted bool
	over    bool
}

// The phases in which clients are.
const (
	loading = iota
	lastRound
	concluding
)

type timer struct {
	at     time.Duration
	serial int
	run    func()
}

type timers []timer

func (t timers) Len() int { return len(t) }
func (t timers) Less(i, j int) bool {
	return t[i].at < t[j].at || t[i].at == t[j].at && t[i].serial < t[j].serial
}
func (t timers) Swap(i, j int) { t[i], t[j] = t[j], t[i] }
func (t *timers) Push(x any)   { *t = append(*t, x.(timer)) }
func (t *timers) Pop() any {
	last := (*t)[len(*t)-1]
	*t = (*t)[:len(*t)-1]
	return last
}

func (w *world) after(d time.Duration, run func()) {
	w.serial++
	heap.Push(&w.timers, timer{w.now + d, w.serial, run})
}

// between draws a time.
func (w *world) between(low, high time.Duration) time.Duration {
	return low + time.Duration(w.random.Int64N(int64(high-low)))
}

func (w *world) chance(perMille int) bool { return w.random.IntN(1000) < perMille }

// trip is how long a request to the store takes, one way.
func (w *world) trip() time.Duration { return w.between(300*time.Microsecond, 1500*time.Microsecond) }

func (w *world) run() {
	_, _ = w.history.WriteString(`{"type":"header","header":{"version":1,"prefix":"holdfast/","subjects":[` +
		`{"name":"mutex","primitive":"mutex","origin":"etcd","layout":"oldest-key"},` +
		`{"name":"rwmutex","primitive":"rwmutex","origin":"etcd","layout":"read-write-keys"},` +
		`{"name":"election","primitive":"election","origin":"etcd","layout":"oldest-key"}]}}` + "\n")
	begin("start").number("revision", w.revision+1).end(w.revisions)
	w.enter("load")
	for member := 1; member <= 3; member++ {
		name, leads := fmt.Sprintf("m%d", member), "follower"
		if member == 1 {
			leads = "leader"
		}
		w.event("leads").text("client", name).number("revision", 2).text("detail", leads).end(w.history)
		w.after(time.Duration(member)*20*time.Millisecond, w.tick)
	}
	for _, s := range []struct {
		subject string
		objects int
	}{{"mutex", 2}, {"rwmutex", 1}, {"election", 1}} {
		first := len(w.objects)
		for k := 0; k < s.objects; k++ {
			w.objects = append(w.objects, &object{subject: s.subject, name: strconv.Itoa(k)})
		}
		for range 3 {
			c := &client{world: w, slot: fmt.Sprintf("c%d", len(w.clients)+1), subject: s.subject, objects: w.objects[first:]}
			w.clients = append(w.clients, c)
			w.after(w.between(0, 10*time.Millisecond), c.connect)
		}
	}
	w.observe(w.objects[len(w.objects)-1])
	for len(w.timers) > 0 && !w.over {
		t := heap.Pop(&w.timers).(timer)
		w.now = t.at
		t.run()
	}
	begin("through").number("through", w.revision).end(w.revisions)
}

// stamp is the time of the next record: now, and later than the last.
func (w *world) stamp() time.Duration {
	w.stamped = max(w.now, w.stamped+1)
	return w.stamped
}

func (w *world) event(kind string) line { return begin("event").text("event", kind).time(w.stamp()) }

func (w *world) enter(phase string) { w.event("phase").text("detail", phase).end(w.history) }

// tick is a linearizable read at one member, every 60 ms.
func (w *world) tick() {
	call, revision := w.now, w.revision
	w.after(w.trip(), func() {
		w.seen = max(w.now, w.seen+1)
		begin("tick").number("revision", revision).time(w.now).number("call", int64(call)).end(w.revisions)
		w.after(60*time.Millisecond, w.tick)
	})
}

// --- the store

type key struct {
	name            string
	create, version int64
	lease           int64
	value           string
}

// watched is the time at which a change that happens now is seen. A watch keeps
// the order.
func (w *world) watched() time.Duration {
	w.seen = max(w.now+w.between(50*time.Microsecond, 300*time.Microsecond), w.seen+1)
	return w.seen
}

func (w *world) put(name, value string, lease int64) *key {
	w.revision++
	k := w.keys[name]
	if k == nil {
		k = &key{name: name, create: w.revision, lease: lease}
		w.keys[name] = k
		if lease != 0 {
			w.owned[lease] = append(w.owned[lease], k)
		}
	}
	k.version++
	k.value = value
	begin("change").number("revision", w.revision).time(w.watched()).text("key", name).number("create", k.create).
		number("version", k.version).number("lease", k.lease).text("value", value).end(w.revisions)
	return k
}

// remove deletes keys at one revision and tells who waits for them.
func (w *world) remove(keys ...*key) {
	gone := keys[:0:0]
	for _, k := range keys {
		if w.keys[k.name] == k {
			gone = append(gone, k)
		}
	}
	if len(gone) == 0 {
		return
	}
	w.revision++
	at := w.watched()
	for _, k := range gone {
		delete(w.keys, k.name)
		begin("change").number("revision", w.revision).time(at).text("key", k.name).yes("deleted", true).end(w.revisions)
		for i, other := range w.owned[k.lease] {
			if other == k {
				w.owned[k.lease] = append(w.owned[k.lease][:i], w.owned[k.lease][i+1:]...)
				break
			}
		}
	}
	for _, o := range w.objects {
		o.leave(w, gone)
	}
}

// endLease ends a lease and deletes its keys; a lease that has ended stays so.
func (w *world) endLease(lease int64) {
	keys := append([]*key(nil), w.owned[lease]...)
	if len(keys) == 0 {
		return
	}
	w.remove(keys...)
	delete(w.owned, lease)
	begin("lease-end").number("revision", w.revision).time(w.watched()).number("lease", lease).end(w.revisions)
}

// --- the objects

// object is a lock or an election, and the resource that it protects.
type object struct {
	subject, name string
	queue         []*request // by create revision
	leader        *request
	observed      func(*request)

	position      int64
	plain, fenced string
	token         int64
}

// request is one client's key in an object's queue.
type request struct {
	*key
	reads   bool
	granted bool
	grant   func()
}

func (o *object) prefix() string { return "holdfast/" + o.subject + "/" + o.name + "/" }

// turn grants whatever may own the object now.
func (o *object) turn(w *world) {
	for i, r := range o.queue {
		if i > 0 && !r.reads {
			break
		}
		if !r.granted {
			r.granted = true
			w.after(w.trip(), r.grant)
		}
		if !r.reads {
			break
		}
	}
	if o.observed != nil && len(o.queue) > 0 && o.leader != o.queue[0] {
		o.leader = o.queue[0]
		o.observed(o.leader)
	}
}

func (o *object) leave(w *world, gone []*key) {
	kept := o.queue[:0]
	for _, r := range o.queue {
		stays := true
		for _, k := range gone {
			stays = stays && r.key != k
		}
		if stays {
			kept = append(kept, r)
		}
	}
	if len(kept) < len(o.queue) {
		o.queue = kept
		o.turn(w)
	}
}

// observe opens an observation of an election, and asks for its leader now and
// then.
func (w *world) observe(o *object) {
	const name = "c10"
	lease := w.lease()
	w.event("session").text("client", name).text("subject", o.subject).number("lease", lease).number("ttl", int64(ttl)).end(w.history)
	w.put("holdfast/leases/"+strconv.FormatInt(lease, 16), name, lease)
	invoke := func(kind string, deadline time.Duration) int64 {
		w.lastID++
		begin("invoke").number("id", w.lastID).time(w.stamp()).text("client", name).text("subject", o.subject).text("object", o.name).
			text("kind", kind).number("deadline", int64(deadline)).number("lease", lease).end(w.history)
		return w.lastID
	}
	observation := invoke("observe", 0)
	o.observed = func(r *request) {
		leader, revision := *r.key, w.revision
		w.after(3*time.Millisecond, func() {
			w.event("observed").text("client", name).text("subject", o.subject).text("object", o.name).number("operation", observation).
				text("value", leader.value).text("key", leader.name).number("token", leader.create).number("revision", revision).end(w.history)
		})
	}
	var ask func()
	ask = func() {
		if w.phase == concluding {
			return
		}
		id := invoke("leader", w.now+2*time.Second)
		w.after(w.trip(), func() {
			var leader key
			if len(o.queue) > 0 {
				leader = *o.queue[0].key
			}
			revision := w.revision
			w.after(w.trip(), func() {
				reply := begin("ok").number("id", id).time(w.stamp())
				if leader.create != 0 {
					reply = reply.text("key", leader.name).number("token", leader.create).text("value", leader.value).number("revision", revision)
				}
				reply.end(w.history)
				w.after(w.between(5*time.Millisecond, 90*time.Millisecond), ask)
			})
		})
	}
	w.after(time.Millisecond, ask)
}

func (w *world) lease() int64 {
	w.lastLease += 2
	return w.lastLease
}

// advance moves to the next phase once every client is idle in this one.
func (w *world) advance() {
	w.idle++
	if w.idle < len(w.clients) {
		return
	}
	w.idle = 0
	switch w.phase {
	case loading:
		w.phase = lastRound
		w.enter("healed")
		for _, c := range w.clients {
			w.after(w.between(0, 10*time.Millisecond), c.round)
		}
	case lastRound:
		w.phase = concluding
		leader := w.clients[len(w.clients)-1]
		leader.request(leader.objects[0], func(h *hold) {
			w.after(2*time.Second, func() {
				w.enter("final")
				h.release(func() {})
				w.after(100*time.Millisecond, w.conclude)
			})
		})
	}
}

// conclude makes the harness's last reads.
func (w *world) conclude() {
	for _, o := range w.objects {
		for _, kind := range []string{"read", "fenced-read"} {
			w.lastID++
			o.position++
			value, asked := o.plain, begin("invoke").number("id", w.lastID).time(w.stamp()).text("client", "harness").
				text("subject", o.subject).text("object", o.name).text("kind", kind)
			if kind == "fenced-read" {
				value, asked = o.fenced, asked.number("token", 1<<63-1)
			}
			asked.end(w.history)
			begin("ok").number("id", w.lastID).time(w.stamp()).text("value", value).number("revision", o.position).end(w.history)
		}
	}
	w.after(200*time.Millisecond, func() { // ticks find the last revision
		w.enter("end")
		w.over = true
	})
}

// rwKey is the name of a key of a read-write lock: etcd's recipe names it after
// the wall clock.
func (o *object) rwKey(w *world, reads bool) string {
	w.serial++
	directory := "write/"
	if reads {
		directory = "read/"
	}
	var b strings.Builder
	b.WriteString(o.prefix() + directory)
	b.WriteString(strconv.FormatInt(1795372350000000000+int64(w.now)+int64(w.serial%1000), 10))
	return b.String()
}
