package netguard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"

	"github.com/etcd-holdfast/holdfast/cluster/link"
)

// Network is the links between members that have guards. All methods are safe
// for concurrent use.
type Network struct {
	port uint16

	mu      sync.Mutex // of all below; not held while a guard is asked
	members []string
	guards  map[string]*guard
	links   map[way]*Link
	losses  []*Loss
	delays  []*Delay
}

// way is who dials whom.
type way struct{ from, to string }

// NewNetwork returns the network of members who dial each other at port, and who
// have to be added.
func NewNetwork(port uint16) *Network {
	return &Network{port: port, guards: make(map[string]*guard), links: make(map[way]*Link)}
}

// Add adds a member that has an IPv4 address, and starts its guard. The error says
// why that can do nothing; the member is added all the same, and what is imposed on
// its links fails for as long as that is so.
func (n *Network) Add(ctx context.Context, member string, address netip.Addr, dial Dial) error {
	if !address.Is4() {
		return fmt.Errorf("guard of %s: %s is no IPv4 address", member, address)
	}
	g := &guard{name: member, address: address, dial: dial}
	n.add(g)
	return n.settle(ctx, g)
}

func (n *Network) add(g *guard) {
	n.mu.Lock()
	defer n.mu.Unlock()
	member := g.name
	for other := range n.guards {
		n.links[way{member, other}] = &Link{network: n, from: member, to: other}
		n.links[way{other, member}] = &Link{network: n, from: other, to: member}
	}
	n.members = append(n.members, member)
	n.guards[member] = g
}

// Link returns the link over which from dials to, or nil if there is none.
func (n *Network) Link(from, to string) *Link {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.links[way{from, to}]
}

// NoDelay is why packets cannot be delayed, or nil.
func (n *Network) NoDelay() error {
	n.mu.Lock()
	guards := n.all()
	n.mu.Unlock()
	for _, g := range guards {
		g.mu.Lock()
		reason := g.hello.NoDelay
		g.mu.Unlock()
		if reason != "" {
			return errors.New(reason)
		}
	}
	return nil
}

// Close ends all harm and all guards.
func (n *Network) Close(ctx context.Context) error {
	n.mu.Lock()
	guards := n.all()
	n.mu.Unlock()
	errs := make([]error, len(guards))
	var group sync.WaitGroup
	for i, g := range guards {
		group.Go(func() { errs[i] = g.end(ctx) })
	}
	group.Wait()
	return errors.Join(errs...)
}

// all returns the guards in the order in which they were added.
func (n *Network) all() []*guard {
	var all []*guard
	for _, m := range n.members {
		all = append(all, n.guards[m])
	}
	return all
}

// settle has guards do what they are to do now.
func (n *Network) settle(ctx context.Context, guards ...*guard) error {
	problems := make([]error, len(guards))
	var group sync.WaitGroup
	for i, g := range guards {
		group.Go(func() { problems[i] = g.settle(ctx, func() orders { return n.orders(g) }) })
	}
	group.Wait()
	return errors.Join(problems...)
}

// orders are what a guard has to do now.
func (n *Network) orders(g *guard) orders {
	n.mu.Lock()
	defer n.mu.Unlock()
	o := orders{Port: n.port}
	for _, other := range n.all() {
		if other == g {
			continue
		}
		in, out := n.links[way{other.name, g.name}], n.links[way{g.name, other.name}]
		if in.cuts > 0 {
			o.Cuts = append(o.Cuts, other.address)
		}
		if in.stalls[link.ToDialler] > 0 {
			o.Answers = append(o.Answers, other.address)
		}
		if out.stalls[link.ToTarget] > 0 {
			o.Questions = append(o.Questions, other.address)
		}
		if share := n.lossBetween(g.name, other.name); share > 0 {
			o.Losses = append(o.Losses, loss{From: other.address, PerMillion: uint32(share * 1_000_000)})
		}
	}
	o.Delay = n.delayOf(g)
	return o
}

// lossBetween is the largest share of packets that is to be lost between two.
func (n *Network) lossBetween(a, b string) float64 {
	share := 0.0
	for _, l := range n.losses {
		if l.member == a || l.member == b {
			share = max(share, l.share)
		}
	}
	return share
}

// delayOf is the longest delay of what a guard's member sends, or nil.
func (n *Network) delayOf(g *guard) *delay {
	var mine []*Delay
	for _, d := range n.delays {
		if d.member == g.name {
			mine = append(mine, d)
		}
	}
	if len(mine) == 0 {
		return nil
	}
	d := slices.MaxFunc(mine, func(a, b *Delay) int { return cmp.Compare(a.delay+a.jitter, b.delay+b.jitter) })
	for _, other := range n.all() {
		if other != g {
			return &delay{To: other.address, Delay: d.delay, Jitter: d.jitter}
		}
	}
	return nil
}
