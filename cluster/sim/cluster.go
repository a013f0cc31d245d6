package sim

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/version"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/cluster/link"
	"github.com/etcd-holdfast/holdfast/cluster/sim/model"
)

// Config says how a simulated cluster is. The zero value of a field is what its
// comment says.
type Config struct {
	// Members is how many there are; zero is one.
	Members int
	// Election is the election timeout, zero 500 ms, and Heartbeat the pause
	// between heartbeats, zero 50 ms.
	Election, Heartbeat time.Duration
	// Delays are those of messages between clients and members, Peers those
	// between members. Zero is none.
	Delays, Peers Delays
	// LeaseClock is how fast the clock is by which members count leases, and Clock
	// how fast each client's own is; zero of either is 1, right.
	LeaseClock float64
	Clock      func(party string) float64
	// Stream returns the random stream for a purpose.
	Stream func(label string) *rand.Rand
	// Steady makes everything but delays that are ranges the same in every run,
	// whatever the streams: nobody is ever slow, an election takes one and a half
	// timeouts, pauses are as long as they mostly are.
	Steady bool
	// Interrupted, if set, is asked again and again; once it returns true,
	// Interrupt is called, in the bubble.
	Interrupted func() bool
	Interrupt   func()
}

func (c Config) withDefaults() Config {
	c.Members = max(c.Members, 1)
	if c.Election == 0 {
		c.Election = 500 * time.Millisecond
	}
	if c.Heartbeat == 0 {
		c.Heartbeat = 50 * time.Millisecond
	}
	if c.LeaseClock == 0 {
		c.LeaseClock = 1
	}
	return c
}

// Cluster is a simulated cluster. Create it with Start.
type Cluster struct {
	config    Config
	scheduler *scheduler
	members   []*member

	// All of the following is guarded by the scheduler's lock.

	store  *model.Store
	random chance // of what happens between members
	term   uint64
	leader *member // nil while there is none
	// vote counts what has been looked at: an election that was overtaken by
	// another look does not take place.
	vote int
	// log has the store's revision after each entry.
	log     []int64
	wires   map[pair]*wire
	parties map[string]*party
	ids     uint64
	grains  grains // of what happens between members
	told    int64
	witness cluster.Witness

	closing sync.Once
}

type pair struct{ from, to string }

var (
	_ cluster.Cluster      = (*Cluster)(nil)
	_ cluster.StatusReader = (*Cluster)(nil)
	_ cluster.Linked       = (*Cluster)(nil)
	_ cluster.Crasher      = (*Cluster)(nil)
	_ cluster.Dialler      = (*Cluster)(nil)
	_ cluster.Teller       = (*Cluster)(nil)
	_ cluster.Sequencer    = (*Cluster)(nil)
	_ cluster.Pauser       = (*Cluster)(nil)
	_ cluster.LeaderMover  = (*Cluster)(nil)
)

// Start creates a cluster whose first member leads. It must be called in a
// Bubble, and the cluster closed there.
func Start(c Config) *Cluster {
	c = c.withDefaults()
	s := &Cluster{
		config: c, scheduler: newScheduler(), term: 2,
		wires: make(map[pair]*wire), parties: make(map[string]*party), log: []int64{1}, told: 1,
	}
	s.random = s.chance("peers")
	s.store = model.New(model.Config{Election: c.Election, Heartbeat: c.Heartbeat, ClusterID: 1, MemberID: 1})
	for i := range c.Members {
		s.members = append(s.members, &member{cluster: s, index: i, name: fmt.Sprintf("m%d", i+1), up: true, revision: 1})
	}
	for _, from := range s.members {
		for _, to := range s.members {
			if from != to {
				s.wires[pair{from.name, to.name}] = &wire{cluster: s, stats: link.Stats{From: from.name, To: to.name, Accepted: peerConnections}}
			}
		}
	}
	s.leader = s.members[0]
	s.scheduler.interrupted, s.scheduler.interrupt = c.Interrupted, c.Interrupt
	s.scheduler.after(s.random.upTo(s.check()), s.expire)
	go s.scheduler.run()
	return s
}

// Kind is "sim".
func (c *Cluster) Kind() string { return "sim" }

// Version is the etcd version whose client code runs, and whose server the model
// is held to.
func (c *Cluster) Version() string { return version.Version }

// Members is as cluster.Cluster has it.
func (c *Cluster) Members() []string {
	names := make([]string, len(c.members))
	for i, m := range c.members {
		names[i] = m.name
	}
	return names
}

// Connect makes a party known. Its URLs lead nowhere: use Dial.
func (c *Cluster) Connect(name string) ([]string, error) {
	p := c.partyOf(name)
	c.scheduler.mu.Lock()
	defer c.scheduler.mu.Unlock()
	defer c.scheduler.stir()
	urls := make([]string, len(c.members))
	for i, m := range c.members {
		urls[i] = "sim://" + m.name
	}
	if p.ways != nil {
		return urls, nil
	}
	for _, m := range c.members {
		w := &way{party: p, member: m, wire: &wire{cluster: c, stats: link.Stats{From: name, To: m.name}}}
		w.wire.way = w
		c.wires[pair{name, m.name}] = w.wire
		p.ways = append(p.ways, w)
		w.state = refused // until somebody dials
	}
	return urls, nil
}

// partyOf returns a party by name.
func (c *Cluster) partyOf(name string) *party {
	c.scheduler.mu.Lock()
	defer c.scheduler.mu.Unlock()
	return c.party(name)
}

// party is partyOf with the lock.
func (c *Cluster) party(name string) *party {
	p := c.parties[name]
	if p == nil {
		p = &party{cluster: c, name: name, random: c.chance("network/" + name), grains: grainsOf(name), rate: 1}
		if c.config.Clock != nil {
			p.rate = cmp.Or(c.config.Clock(name), 1)
		}
		c.parties[name] = p
	}
	return p
}

// Disconnect is as cluster.Cluster has it.
func (c *Cluster) Disconnect(name string) {
	c.scheduler.mu.Lock()
	defer c.scheduler.mu.Unlock()
	defer c.scheduler.stir()
	p := c.parties[name]
	if p == nil {
		return
	}
	delete(c.parties, name)
	for _, w := range p.ways {
		delete(c.wires, pair{name, w.member.name})
		w.removed = true
		w.fail(errReset)
	}
}

// Dial returns a client that talks through a party's links. Its keepalives wait
// for the first answer as long as those of a client with that dial timeout.
func (c *Cluster) Dial(ctx context.Context, name string, timeout time.Duration) (*clientv3.Client, error) {
	p := c.partyOf(name)
	client := clientv3.NewCtxClient(ctx, clientv3.WithZapLogger(zap.NewNop()))
	r := &remote{party: p, gone: client.Ctx().Done()}
	client.KV = clientv3.NewKVFromKVClient(r, client)
	client.Lease = clientv3.NewLeaseFromLeaseClient(r, client, timeout+time.Second)
	client.Watcher = &watcher{Watcher: clientv3.NewWatchFromWatchClient(r, client), remote: r}
	r.others(client)
	c.scheduler.post(post{party: p, kind: postOpen, take: func() {
		for _, w := range p.ways {
			if w.state == refused && w.attempts == 0 && !w.removed {
				w.connect()
			}
		}
	}})
	return client, nil
}

// Link is as cluster.Linked has it.
func (c *Cluster) Link(from, to string) cluster.Link {
	c.scheduler.mu.Lock()
	defer c.scheduler.mu.Unlock()
	if w := c.wires[pair{from, to}]; w != nil {
		return w
	}
	return nil
}

// Tell makes w hear of everything that changes from now on.
func (c *Cluster) Tell(w cluster.Witness) {
	c.scheduler.mu.Lock()
	defer c.scheduler.mu.Unlock()
	c.witness, c.told = w, c.store.Revision()
	for _, s := range c.status() {
		w.Led(s)
	}
}

// Close is as cluster.Cluster has it.
func (c *Cluster) Close() error {
	c.closing.Do(func() {
		c.scheduler.mu.Lock()
		for _, p := range c.parties {
			for _, w := range p.ways {
				w.removed = true
				for _, x := range w.exchanges {
					x.fail(errUnavailable)
				}
			}
			for _, x := range p.waiting {
				x.fail(errUnavailable)
			}
		}
		c.scheduler.mu.Unlock()
		c.scheduler.end()
	})
	return nil
}
