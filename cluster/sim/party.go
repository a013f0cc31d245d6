package sim

import "time"

// party is who connects: a client, or the harness. All but name is guarded by the
// scheduler's lock.
type party struct {
	cluster *Cluster
	name    string
	// random is drawn from by events only, so that the order of draws is that of
	// the run.
	random chance
	grains grains
	ways   []*way // by member
	turn   int
	// waiting are exchanges that want a connection.
	waiting []*exchange
	// paused counts pauses in force; turns are what they keep.
	paused int
	turns  []func()
	// steps counts what it did in a slot that it had already.
	steps int
	// spare are exchanges that are over, for calls to come.
	spare []*exchange
	// waits are of turns that were granted, for turns to come.
	waits []*wait
	// rate is how fast the clock is by which etcd counts the party's leases, as
	// the party sees it.
	rate float64
}

// delay is how long a message of the party is on its way.
func (p *party) delay() time.Duration {
	return p.cluster.config.Delays.draw(p.random.Rand) + p.grains.next()
}

// step is how long something small takes.
func (p *party) step() time.Duration {
	return time.Microsecond + p.random.upTo(20*time.Microsecond) + p.grains.next()
}

// hiccup is how long a party does not get to what it is about to do: mostly not
// at all, and now and then as long as a machine that is busy makes it wait.
func (p *party) hiccup() time.Duration {
	if !p.random.oneIn(hiccups) {
		return 0
	}
	return p.random.upTo(time.Millisecond) + p.grains.next()
}

// hiccups is of how many turns one has to wait.
const hiccups = 8

// pick returns the connection that the next request takes, or nil if there is
// none: they take turns.
func (p *party) pick() *way {
	for range p.ways {
		p.turn++
		if w := p.ways[p.turn%len(p.ways)]; w.state == ready {
			return w
		}
	}
	return nil
}

// ready opens what waits for a connection.
func (p *party) ready() {
	waiting := p.waiting
	p.waiting = nil
	for _, x := range waiting {
		if !x.over {
			x.open()
		}
	}
}

// call returns the exchange for a call.
func (p *party) call(method string, request payload) *exchange {
	mu := &p.cluster.scheduler.mu
	mu.Lock()
	defer mu.Unlock()
	last := len(p.spare) - 1
	if last < 0 {
		return &exchange{party: p, method: method, request: request, ready: make(chan struct{}, 1)}
	}
	x := p.spare[last]
	p.spare = p.spare[:last]
	*x = exchange{party: p, method: method, request: request, ready: x.ready}
	return x
}

// answered takes back the exchange of a call that was answered: nothing of it is
// on its way any more.
func (p *party) answered(x *exchange) {
	mu := &p.cluster.scheduler.mu
	mu.Lock()
	defer mu.Unlock()
	p.spare = append(p.spare, x)
}

// Turn is as cluster.Sequencer has it. While the party is paused it has none.
func (c *Cluster) Turn(name string, alone bool, what func() []byte) (slot uint64) {
	c.scheduler.mu.Lock()
	p := c.party(name)
	if alone && c.scheduler.only == p && p.paused == 0 {
		// It is at work, and it alone: it goes on unless it has to wait by chance.
		p.steps++
		if p.steps%hiccups != 0 {
			slot = c.scheduler.happened
			c.scheduler.mu.Unlock()
			return slot
		}
	}
	w := p.wait()
	c.scheduler.mu.Unlock()
	if !c.scheduler.post(post{party: p, kind: postTurn, text: what, take: w.take}) {
		return 0
	}
	select {
	case <-w.granted:
	case <-c.scheduler.ended:
		return 0
	}
	c.scheduler.mu.Lock()
	defer c.scheduler.mu.Unlock()
	p.waits = append(p.waits, w)
	return w.slot
}

// wait is that for a turn.
type wait struct {
	granted chan struct{} // has room for one
	slot    uint64
	take    func() // of its post
}

// wait returns one, that of an earlier turn if it can.
func (p *party) wait() *wait {
	if last := len(p.waits) - 1; last >= 0 {
		w := p.waits[last]
		p.waits = p.waits[:last]
		return w
	}
	w := &wait{granted: make(chan struct{}, 1)}
	s := p.cluster.scheduler
	grant := func() bool {
		w.slot, s.only = s.happened, p
		w.granted <- struct{}{}
		return true
	}
	w.take = func() {
		if p.paused > 0 {
			p.turns = append(p.turns, func() { s.after(p.step(), grant) })
			return
		}
		s.after(p.hiccup(), grant)
	}
	return w
}

// Still is as cluster.Sequencer has it.
func (c *Cluster) Still(slot uint64) bool {
	c.scheduler.mu.Lock()
	defer c.scheduler.mu.Unlock()
	return c.scheduler.happened == slot
}

// Pause is as cluster.Pauser has it: the party has no turn until resume is called.
// Timers of the library within it go on, as there is one clock: if its links keep
// back what it says, what they bring about shows when the pause is over.
func (c *Cluster) Pause(name string) (kept func() int, resume func()) {
	p := c.partyOf(name)
	c.scheduler.mu.Lock()
	p.paused++
	c.scheduler.mu.Unlock()
	kept = func() int {
		c.scheduler.mu.Lock()
		defer c.scheduler.mu.Unlock()
		return len(p.turns)
	}
	done := false
	return kept, func() {
		c.scheduler.mu.Lock()
		defer c.scheduler.mu.Unlock()
		defer c.scheduler.stir()
		if done {
			return
		}
		done = true
		if p.paused--; p.paused > 0 {
			return
		}
		turns := p.turns
		p.turns = nil
		for _, again := range turns {
			again()
		}
	}
}
