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
	c.scheduler.mu.Unlock()
	granted := make(chan struct{})
	grant := func() bool {
		slot, c.scheduler.only = c.scheduler.happened, p
		close(granted)
		return true
	}
	ok := c.scheduler.post(post{party: p, kind: postTurn, text: what, take: func() {
		if p.paused > 0 {
			p.turns = append(p.turns, func() { c.scheduler.after(p.step(), grant) })
			return
		}
		c.scheduler.after(p.hiccup(), grant)
	}})
	if !ok {
		return 0
	}
	select {
	case <-granted:
		return slot
	case <-c.scheduler.ended:
		return 0
	}
}

// Still is as cluster.Sequencer has it.
func (c *Cluster) Still(slot uint64) bool {
	c.scheduler.mu.Lock()
	defer c.scheduler.mu.Unlock()
	return c.scheduler.happened == slot
}

// Pause makes a party do nothing until resume is called: it has no turn, and
// what it hears and says is kept back. Timers of the library within it go on,
// as there is one clock: what they bring about shows when the pause is over.
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
