package docker

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/cluster/inquiry"
	"github.com/etcd-holdfast/holdfast/cluster/members"
	"github.com/etcd-holdfast/holdfast/internal/netguard"
)

// Cluster is a running cluster. Create it with Start. The group has its methods but
// for those of this package.
type Cluster struct {
	*members.Group[*life]
	config   Config
	engine   *engine
	mark     mark
	meeting  *meeting
	way      way
	machines map[string]*machine // by member
	register inquiry.Register
	// peers are the links between members, in their namespaces.
	peers *netguard.Network
	// images are those of servers that are not this program's.
	images map[Server]serverImage
	// background is what lasts as long as the cluster.
	background context.Context
	finish     context.CancelFunc

	closing    sync.Once
	closeError error
}

var (
	_ cluster.Cluster       = (*Cluster)(nil)
	_ cluster.StatusReader  = (*Cluster)(nil)
	_ cluster.Linked        = (*Cluster)(nil)
	_ cluster.Crasher       = (*Cluster)(nil)
	_ cluster.LeaderMover   = (*Cluster)(nil)
	_ cluster.Stopper       = (*Cluster)(nil)
	_ cluster.Freezer       = (*Cluster)(nil)
	_ cluster.Unplugger     = (*Cluster)(nil)
	_ cluster.Throttler     = (*Cluster)(nil)
	_ cluster.Squeezer      = (*Cluster)(nil)
	_ cluster.PacketLoser   = (*Cluster)(nil)
	_ cluster.PacketDelayer = (*Cluster)(nil)
)

// Start creates a cluster and returns when all its members serve. If it fails,
// or ctx ends before, nothing is left behind.
func Start(ctx context.Context, config Config) (*Cluster, error) {
	c := &Cluster{
		config: config, machines: make(map[string]*machine), images: make(map[Server]serverImage), peers: netguard.NewNetwork(peerPort),
	}
	c.background, c.finish = context.WithCancel(context.Background())
	var err error
	c.Group, err = members.Prepare(config.Config, members.Backend[*life]{Kind: c.Kind(), Begin: c.begin, Logs: true, Remote: true})
	if err != nil {
		c.finish()
		return nil, err
	}
	if err := c.prepare(ctx); err != nil {
		return nil, fmt.Errorf("start docker cluster: %w", errors.Join(err, c.Close()))
	}
	return members.Started(ctx, c)
}

// prepare creates all that the members need before they start.
func (c *Cluster) prepare(ctx context.Context) (err error) {
	if err := c.config.validate(c.Members()); err != nil {
		return err
	}
	if c.engine, err = connect(ctx); err != nil {
		return err
	}
	if c.mark, err = newMark(c.config.Run); err != nil {
		return err
	}
	own, err := ownBinary()
	if err != nil {
		return err
	}
	image, err := c.engine.ensureImage(ctx, c.mark, own, c.config.say)
	if err != nil {
		return err
	}
	for _, member := range c.Members() {
		if err := c.ensureServer(ctx, c.config.Servers[member]); err != nil {
			return fmt.Errorf("member %s: %w", member, err)
		}
	}
	if c.meeting, err = c.engine.newMeeting(ctx, c.mark); err != nil {
		return err
	}
	hosts := c.engine.publishing(ctx)
	for i, p := range c.Places() {
		c.machines[p.Name] = &machine{cluster: c, place: p}
		p.Directory = dataDirectory
		p.PeerAddress = netip.AddrPortFrom(c.meeting.addressOf(i), peerPort).String()
	}
	errs := make([]error, len(c.Places()))
	var works sync.WaitGroup
	for i, p := range c.Places() {
		works.Go(func() {
			if err := c.machines[p.Name].prepare(ctx, image, c.meeting.addressOf(i), hosts); err != nil {
				errs[i] = fmt.Errorf("member %s: %w", p.Name, err)
			}
		})
	}
	works.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	c.way, err = c.engine.wayTo(ctx, c.machines[c.Members()[0]].pod, c.mark.run)
	if err != nil {
		return err
	}
	c.config.say("members are reached through %s", c.way.name)
	c.guard(ctx)
	return nil
}

// Kind returns "docker".
func (c *Cluster) Kind() string { return "docker" }

// removePatience is how long all that was created may take to be removed.
const removePatience = 60 * time.Second

// Close kills all members and removes everything that Start has created but for
// images, which the next cluster uses. It returns the same error each time.
func (c *Cluster) Close() error {
	c.closing.Do(func() { c.closeError = c.close() })
	return c.closeError
}

func (c *Cluster) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), removePatience)
	defer cancel()
	errs := []error{c.peers.Close(ctx), c.Group.Close()}
	c.finish()
	if c.engine != nil {
		if c.mark.run != "" {
			errs = append(errs, c.engine.removeRun(ctx, c.mark.run))
		}
		errs = append(errs, c.engine.Close())
	}
	return errors.Join(errs...)
}

// Status returns what each member says of itself, in the order of Members. It is
// at most a moment old, unless the member does not answer: then it is what it said
// last. One that has not yet answered since it was started knows no leader.
func (c *Cluster) Status() []cluster.Status {
	lives, running := c.Lives()
	all := make([]cluster.Status, len(lives))
	for i, name := range c.Members() {
		all[i] = cluster.Status{Member: name}
		if running[i] && lives[i].runs() {
			all[i] = c.register.Describe(name, lives[i].inquiry.Answer())
		}
	}
	return all
}

// Version returns the version of etcd that the members run, by their own account;
// of a mixed cluster each with who runs it, for example "3.5.12 (m2), 3.7.3 (m1, m3)".
func (c *Cluster) Version() string { return c.register.Version(c.Members()) }

// MoveLeader hands the leadership to a member in good order, and returns when it
// says that it leads.
func (c *Cluster) MoveLeader(ctx context.Context, name string) error {
	next, err := c.LifeOf(name)
	if err == nil {
		lives, running := c.Lives()
		var all []*inquiry.Inquiry
		for i, l := range lives {
			if running[i] && l.runs() {
				all = append(all, l.inquiry)
			}
		}
		err = inquiry.MoveLeader(ctx, next.inquiry, all)
	}
	if err != nil {
		return fmt.Errorf("make %s the leader: %w", name, err)
	}
	return nil
}
