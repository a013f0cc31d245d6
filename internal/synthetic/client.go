package synthetic

import (
	"fmt"
	"strconv"
	"time"
)

const ttl = time.Second

// client is one slot's client: it makes rounds over its subject's objects, each
// a request, work on the protected resource, and a release.
type client struct {
	*world
	slot    string
	subject string
	objects []*object
	crashes int
	values  int
	lease   int64
}

func (c *client) name() string {
	if c.crashes == 0 {
		return c.slot
	}
	return fmt.Sprintf("%s.%d", c.slot, c.crashes)
}

func (c *client) value() string {
	c.values++
	return c.name() + "-" + strconv.Itoa(c.values)
}

// connect opens a session and begins to work.
func (c *client) connect() {
	c.lease = c.world.lease()
	c.put("holdfast/leases/"+strconv.FormatInt(c.lease, 16), c.name(), c.lease)
	c.event("session").text("client", c.name()).text("subject", c.subject).number("lease", c.lease).number("ttl", int64(ttl)).end(c.history)
	c.round()
}

func (c *client) round() {
	if c.phase == loading && int(c.lastID) >= c.options.Operations {
		c.advance()
		return
	}
	if c.phase == loading && c.chance(5) {
		c.close(c.connect)
		return
	}
	o := c.objects[c.random.IntN(len(c.objects))]
	next := func() {
		if c.phase == loading {
			c.after(c.between(0, 20*time.Millisecond), c.round)
			return
		}
		c.advance()
	}
	if c.phase == loading && c.subject == "mutex" && len(o.queue) > 0 && c.chance(100) {
		h := &hold{client: c, object: o}
		id := h.invoke("try-acquire", 8*time.Second, "", "")
		c.after(c.trip(), func() {
			begin("fail").number("id", id).time(c.stamp()).text("error", "the lock is held by another client").end(c.history)
			next()
		})
		return
	}
	c.request(o, func(h *hold) { h.work(next) })
}

func (c *client) close(then func()) {
	c.lastID++
	id := c.lastID
	begin("invoke").number("id", id).time(c.stamp()).text("client", c.name()).text("subject", c.subject).text("kind", "close-session").
		number("lease", c.lease).end(c.history)
	c.after(c.trip(), func() {
		c.endLease(c.lease)
		c.after(c.trip(), func() {
			begin("ok").number("id", id).time(c.stamp()).end(c.history)
			c.after(time.Millisecond, then)
		})
	})
}

// hold is a request of an object, and what follows when it is granted.
type hold struct {
	*client
	object  *object
	key     *key
	reads   bool
	acquire int64 // the ID of the request
	token   int64
}

func (h *hold) mode() string {
	switch {
	case h.subject != "rwmutex":
		return ""
	case h.reads:
		return "read"
	}
	return "write"
}

// invoke records the call of an operation within the hold.
func (h *hold) invoke(kind string, limit time.Duration, value, prior string) int64 {
	h.lastID++
	l := begin("invoke").number("id", h.lastID).time(h.stamp()).text("client", h.name()).text("subject", h.subject).
		text("object", h.object.name).text("kind", kind).text("mode", h.mode())
	if limit > 0 {
		l = l.number("deadline", int64(h.now+limit))
	}
	l = l.number("lease", h.lease)
	if h.acquire != 0 && kind != "read" && kind != "write" {
		l = l.text("key", h.key.name).number("token", h.token)
	}
	l.number("hold", h.acquire).text("value", value).text("prior", prior).end(h.history)
	return h.lastID
}

// request asks for an object and calls then once it was granted.
func (c *client) request(o *object, then func(*hold)) {
	h := &hold{client: c, object: o, reads: c.subject == "rwmutex" && c.chance(500)}
	kind, value, limit := "acquire", "", 9*time.Minute
	switch c.subject {
	case "election":
		kind, value = "campaign", c.value()
	case "rwmutex":
		limit = 0
	}
	id := h.invoke(kind, limit, value, "")
	c.after(c.trip(), func() {
		name := o.prefix() + strconv.FormatInt(c.lease, 16)
		if c.subject == "rwmutex" {
			name = o.rwKey(c.world, h.reads)
		}
		h.key = c.put(name, value, c.lease)
		r := &request{key: h.key, reads: h.reads}
		granted := false
		r.grant = func() {
			if granted {
				return
			}
			granted = true
			h.acquire, h.token = id, h.key.create
			begin("ok").number("id", id).time(c.stamp()).text("key", h.key.name).number("token", h.token).end(c.history)
			then(h)
		}
		o.queue = append(o.queue, r)
		o.turn(c.world)
		if c.options.DoubleHold && !c.planted && c.subject == "mutex" && int(id) > c.options.Operations/2 && len(o.queue) == 2 && o.queue[0].granted {
			c.planted = true
			c.after(3*time.Millisecond, r.grant)
		}
	})
}

// resource is one call of the protected resource. It takes effect at once.
func (h *hold) resource(kind, value, prior string) (seen string, ok bool) {
	o := h.object
	id := h.invoke(kind, 0, value, prior)
	h.now += h.between(time.Microsecond, 5*time.Microsecond)
	defer func() { h.now += h.between(time.Microsecond, 3*time.Microsecond) }()
	if (kind == "fenced-read" || kind == "fenced-write") && h.token < o.token {
		begin("fail").number("id", id).time(h.stamp()).text("error", "the token is lower than one that was seen").end(h.history)
		return "", false
	}
	o.position++
	switch kind {
	case "read":
		seen = o.plain
	case "write":
		o.plain = value
	case "fenced-read":
		o.token, seen = h.token, o.fenced
	case "fenced-write":
		o.token, o.fenced = h.token, value
	}
	begin("ok").number("id", id).time(h.stamp()).text("value", seen).number("revision", o.position).end(h.history)
	return seen, true
}

// work is what a holder does until it has released.
func (h *hold) work(done func()) {
	plain, _ := h.resource("read", "", "")
	fenced, fresh := h.resource("fenced-read", "", "")
	length := h.between(20*time.Millisecond, 400*time.Millisecond)
	if h.phase == loading {
		switch {
		case h.chance(1):
			h.after(length, h.crash)
			return
		case h.chance(2):
			h.after(length, h.expire)
			return
		}
	}
	finish := func() {
		if !h.reads {
			h.resource("write", h.value(), plain)
			if fresh {
				h.resource("fenced-write", h.value(), fenced)
			}
		}
		if h.reads || !h.chance(660) {
			h.release(done)
			return
		}
		h.guarded(func() { h.release(done) })
	}
	if h.subject == "election" && h.chance(300) {
		h.after(length/2, func() { h.proclaim(func() { h.after(length/2, finish) }) })
		return
	}
	h.after(length, finish)
}

func (h *hold) proclaim(then func()) {
	value := h.value()
	id := h.invoke("proclaim", 3*time.Second, value, "")
	h.after(h.trip(), func() {
		h.put(h.key.name, value, h.lease)
		h.after(h.trip(), func() {
			begin("ok").number("id", id).time(h.stamp()).end(h.history)
			then()
		})
	})
}

// guarded is a write that succeeds only while the key is there. Now and then
// its answer is lost.
func (h *hold) guarded(then func()) {
	value := h.value()
	id := h.invoke("guarded-write", 2*time.Second, value, "")
	h.after(h.trip(), func() {
		h.put("holdfast/guarded/"+h.subject+"/"+h.object.name, value, 0)
		revision, lost := h.revision, h.chance(3)
		wait := h.trip()
		if lost {
			wait = 2 * time.Second
		}
		h.after(wait, func() {
			if lost {
				begin("info").number("id", id).time(h.stamp()).text("error", "context deadline exceeded").end(h.history)
			} else {
				begin("ok").number("id", id).time(h.stamp()).number("revision", revision).end(h.history)
			}
			then()
		})
	})
}

func (h *hold) release(then func()) {
	kind, limit := "release", 3*time.Second
	switch h.subject {
	case "election":
		kind = "resign"
	case "rwmutex":
		limit = 0
	}
	id := h.invoke(kind, limit, "", "")
	h.after(h.trip(), func() {
		h.remove(h.key)
		h.after(h.trip(), func() {
			begin("ok").number("id", id).time(h.stamp()).end(h.history)
			then()
		})
	})
}

// fault records a verified fault on the client.
func (h *hold) fault(kind, evidence string, from, to time.Duration) {
	h.lastFault++
	l := append(line(`{"id":`), strconv.FormatInt(h.lastFault, 10)...).text("fault", kind).text("target", h.name()).
		number("planned", int64(from)).number("from", int64(from)).number("to", int64(to)).yes("verified", true)
	l.text("evidence", evidence).end(h.faults)
}

// crash kills the client; its lease expires, and another takes its place.
func (h *hold) crash() {
	c, lease := h.client, h.lease
	c.event("crash").text("client", c.name()).text("subject", c.subject).end(c.history)
	h.fault("crash-client", "its context was cancelled", h.now, h.now+time.Second)
	c.crashes++
	c.after(ttl, func() {
		c.endLease(lease)
		c.after(10*time.Millisecond, c.connect)
	})
}

// expire cuts the client off, so that its lease expires while it holds; it is
// told of it later, and until then it believes.
func (h *hold) expire() {
	c, lease, from := h.client, h.lease, h.now
	c.after(ttl, func() {
		c.endLease(lease)
		c.after(c.between(10*time.Millisecond, 200*time.Millisecond), func() {
			c.event("lost").text("client", c.name()).text("subject", c.subject).number("lease", lease).yes("heeded", true).
				number("operation", h.acquire).end(c.history)
			h.fault("cut-client", "3 connections severed, 3 refused", from, c.now)
			c.after(10*time.Millisecond, c.connect)
		})
	})
}
