package sim

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/cluster/link"
	"github.com/etcd-holdfast/holdfast/cluster/sim/model"
	"github.com/etcd-holdfast/holdfast/history"
)

// What members do together: one leader, that can talk with a majority, puts
// entries into a log that all apply sooner or later. Raft itself is not
// simulated: no two members ever differ in what they have applied, but in how
// much of it.

// speak is true if what one member says reaches another. Streams of raft are
// dialled by the receiver.
func (c *Cluster) speak(from, to *member) bool {
	there, back := c.wires[pair{from.name, to.name}], c.wires[pair{to.name, from.name}]
	return there.cuts+back.cuts == 0 && there.stalls[link.ToTarget] == 0 && back.stalls[link.ToDialler] == 0
}

// severed is true if what one member says to another is lost.
func (c *Cluster) severed(from, to *member) bool {
	return c.wires[pair{from.name, to.name}].cuts+c.wires[pair{to.name, from.name}].cuts > 0
}

func (c *Cluster) talk(a, b *member) bool { return c.speak(a, b) && c.speak(b, a) }

// majority is true if a member can talk with so many that they are a majority
// with it.
func (c *Cluster) majority(m *member) bool {
	n := 1
	for _, other := range c.members {
		if other != m && other.up && c.talk(m, other) {
			n++
		}
	}
	return m.up && 2*n > len(c.members)
}

// look takes note of a change of the ways between members. A leader that has lost
// its majority steps down after an election timeout at the latest, and another
// is elected if there can be one.
func (c *Cluster) look() {
	c.vote++
	vote := c.vote
	c.heed()
	if c.leader != nil && c.majority(c.leader) {
		return
	}
	timeout := c.config.Election + c.random.upTo(c.config.Election)
	c.scheduler.after(timeout, func() bool {
		if c.vote == vote {
			c.elect()
		}
		return false
	})
}

// elect makes somebody leader who can be, if the old one cannot.
func (c *Cluster) elect() {
	if c.leader != nil && c.majority(c.leader) {
		return
	}
	var fit []*member
	most := 0
	for _, m := range c.members {
		if c.majority(m) {
			fit = append(fit, m)
			most = max(most, m.applied)
		}
	}
	// Only who has all that was committed can be elected; of a majority one has.
	fit = slices.DeleteFunc(fit, func(m *member) bool { return m.applied < most })
	if len(fit) == 0 {
		c.become(nil)
		return
	}
	c.become(fit[c.random.index(len(fit))])
}

// become makes a member the leader, which gives all leases their time again.
func (c *Cluster) become(m *member) {
	old := c.leader
	if m == old {
		return
	}
	c.leader = m
	if m != nil {
		for _, other := range c.members {
			if other != m {
				other.forgetLog()
			}
		}
		c.term++
		m.apply(len(c.log) - 1)
		c.store.Promote(c.leaseTime())
	}
	if c.witness != nil {
		for _, s := range c.status() {
			c.witness.Led(s)
		}
	}
	c.vote++
	c.heed()
}

// heed lets every member find out whether it has a leader.
func (c *Cluster) heed() {
	for _, m := range c.members {
		switch {
		case m.follows():
			m.lead()
		case m.hears():
			m.heed()
		case m.up:
			m.leaderless()
		}
	}
}

// commit appends an entry with what the store has come to, and sends it to all.
func (c *Cluster) commit() {
	c.log = append(c.log, c.store.Revision())
	entry := len(c.log) - 1
	c.tell()
	for _, m := range c.members {
		if m == c.leader {
			m.apply(entry)
		} else if m.hears() {
			c.send(m, entry)
		}
	}
}

// send lets a member apply an entry after a while.
func (c *Cluster) send(m *member, entry int) {
	at := max(c.scheduler.now()+c.peerDelay(), m.applying+1)
	m.applying = at
	c.scheduler.at(at, func() bool {
		if m.hears() {
			m.apply(entry)
		}
		return false
	})
}

// tell tells the witness what has changed since it was told last.
func (c *Cluster) tell() {
	revision := c.store.Revision()
	if c.witness == nil || revision == c.told {
		c.told = revision
		return
	}
	now := c.scheduler.start.Add(c.scheduler.now())
	changes := c.store.Changes(c.told+1, revision)
	if len(changes) > 1 {
		// In an order that does not depend on that in which a transaction has them.
		changes = slices.Clone(changes)
		slices.SortStableFunc(changes, func(a, b model.Change) int {
			return cmp.Or(cmp.Compare(a.Revision, b.Revision), bytes.Compare(a.KV.Key, b.KV.Key))
		})
	}
	for _, change := range changes {
		h := history.Change{Revision: change.Revision, Key: string(change.KV.Key), Deleted: change.Deleted}
		if !change.Deleted {
			h.Create, h.Version, h.Lease, h.Value = change.KV.CreateRevision, change.KV.Version, change.KV.Lease, string(change.KV.Value)
		}
		c.witness.Changed(now, h)
	}
	c.told = revision
}

// peerDelay is how long a message between members is on its way.
func (c *Cluster) peerDelay() time.Duration {
	return c.config.Peers.draw(c.random.Rand) + c.grains.next()
}

// commitDelay is how long it takes until an entry that a member proposes is
// committed.
func (c *Cluster) commitDelay(m *member) time.Duration {
	d := c.peerDelay()
	if len(c.members) > 1 {
		d += c.peerDelay()
	}
	if m != c.leader {
		d += c.peerDelay()
	}
	return d
}

// patience is how long etcd lets a request wait: 5 s and two election timeouts.
func (c *Cluster) patience() time.Duration { return 5*time.Second + 2*c.config.Election }

// leaseTime is the time by the clock that counts leases.
func (c *Cluster) leaseTime() time.Duration {
	return duration(float64(c.scheduler.now()) * c.config.LeaseClock)
}

func duration(nanoseconds float64) time.Duration { return time.Duration(nanoseconds) }

// leaseCheck is how often, by its own clock, the leader looks for leases whose
// time is over.
const leaseCheck = 500 * time.Millisecond

// check is how long it is until the next look.
func (c *Cluster) check() time.Duration {
	return duration(float64(leaseCheck)/c.config.LeaseClock) + c.grains.next()
}

// expire is the leader's look for leases whose time is over.
func (c *Cluster) expire() bool {
	if c.leader != nil && c.leader.follows() {
		for _, id := range c.store.Due(c.leaseTime()) {
			c.scheduler.after(c.commitDelay(c.leader), func() bool {
				if c.leader == nil || !c.leader.follows() {
					return false // the next look, or the next leader, finds it
				}
				if _, err := c.store.Revoke(&pb.LeaseRevokeRequest{ID: id}); err == nil {
					c.commit()
				}
				return false
			})
		}
	}
	c.scheduler.after(c.check(), c.expire)
	return false
}

// grant grants a lease to a party. There is one clock in a bubble, and it is taken
// for each client's own: to one whose clock is fast, a lease seems to live longer.
func (c *Cluster) grant(p *party, r *pb.LeaseGrantRequest) (*pb.LeaseGrantResponse, error) {
	reply, err := c.store.Grant(c.leaseTime(), r)
	if err == nil && p.rate != 1 {
		c.store.Slow(c.leaseTime(), reply.ID, p.rate)
	}
	return reply, err
}

// inOrder returns the connected parties in the order of their names.
func (c *Cluster) inOrder() []*party {
	var all []*party
	for _, p := range c.parties {
		if p.ways != nil {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b *party) int { return strings.Compare(a.name, b.name) })
	return all
}

// Status is as cluster.StatusReader has it.
func (c *Cluster) Status() []cluster.Status {
	c.scheduler.mu.Lock()
	defer c.scheduler.mu.Unlock()
	return c.status()
}

func (c *Cluster) status() []cluster.Status {
	all := make([]cluster.Status, len(c.members))
	for i, m := range c.members {
		s := cluster.Status{Member: m.name, Running: m.up, Leads: m.up && m == c.leader, Term: c.term}
		if m.hears() {
			s.Leader = c.leader.name
		}
		all[i] = s
	}
	return all
}

var errNoMember = errors.New("there is no such member")

func (c *Cluster) memberOf(name string) (*member, error) {
	for _, m := range c.members {
		if m.name == name {
			return m, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", name, errNoMember)
}

// Crash is as cluster.Crasher has it.
func (c *Cluster) Crash(_ context.Context, name string) error {
	c.scheduler.mu.Lock()
	defer c.scheduler.mu.Unlock()
	defer c.scheduler.stir()
	m, err := c.memberOf(name)
	if err != nil {
		return err
	}
	if !m.up {
		return fmt.Errorf("crash %s: it is down", name)
	}
	m.up, m.alone = false, false
	m.waiting, m.queued, m.watching = nil, nil, nil
	for _, p := range c.inOrder() {
		w := p.ways[m.index]
		if w.state == ready {
			w.wire.stats.Severed++
		}
		w.fail(errReset)
	}
	if c.witness != nil {
		for _, s := range c.status() {
			c.witness.Led(s)
		}
	}
	c.look()
	return nil
}

// Restart is as cluster.Crasher has it. A member is there again after as long as
// an election takes, and learns from the others what it missed.
func (c *Cluster) Restart(ctx context.Context, name string) error {
	c.scheduler.mu.Lock()
	m, err := c.memberOf(name)
	if err == nil && m.up {
		err = fmt.Errorf("restart %s: it is running", name)
	}
	if err != nil {
		c.scheduler.mu.Unlock()
		return err
	}
	done := make(chan struct{})
	c.scheduler.after(c.config.Heartbeat+c.peerDelay(), func() bool {
		m.up = true
		if c.witness != nil {
			for _, s := range c.status() {
				c.witness.Led(s)
			}
		}
		c.look()
		close(done)
		return true
	})
	c.scheduler.stir()
	c.scheduler.mu.Unlock()
	select {
	case <-done:
		return nil
	case <-c.scheduler.ended:
		return errors.New("the simulation has ended")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// MoveLeader is as cluster.LeaderMover has it.
func (c *Cluster) MoveLeader(_ context.Context, name string) error {
	c.scheduler.mu.Lock()
	defer c.scheduler.mu.Unlock()
	defer c.scheduler.stir()
	m, err := c.memberOf(name)
	switch {
	case err != nil:
		return err
	case c.leader == nil:
		return errors.New("nobody leads")
	case !m.follows():
		return fmt.Errorf("%s does not follow the leader", name)
	}
	c.become(m)
	return nil
}
