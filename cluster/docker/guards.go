package docker

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/internal/netguard"
)

// GuardRole is the role of offspring.Role in which this program harms the connections
// of a member from within its pod.
const GuardRole = netguard.Role

// BeGuard is what a process in the role GuardRole does. It returns the exit code.
func BeGuard() int { return netguard.Guard() }

var (
	_ cluster.PacketLoser   = (*Cluster)(nil)
	_ cluster.PacketDelayer = (*Cluster)(nil)
)

// guard starts a guard in each pod. Without guards members serve as well, and it is
// who wants to harm their links that is told why not.
func (c *Cluster) guard(ctx context.Context) {
	c.guards = netguard.NewNetwork(peerPort)
	for _, m := range c.Members() {
		p := c.machines[m].pod
		err := c.guards.Add(ctx, m, p.address, func(ctx context.Context) (io.ReadWriteCloser, error) {
			return c.engine.inPod(ctx, p, GuardRole)
		})
		if err != nil {
			c.config.say("links between members cannot be harmed: %v", err)
		}
	}
}

// unguard ends the guards. What does not end goes with the pods.
func (c *Cluster) unguard(ctx context.Context) {
	if c.guards != nil {
		_ = c.guards.Close(ctx)
	}
}

// Link returns the link over which from dials to, or nil if there is none. Those on
// which clients dial members are in this process, those between members in the pods;
// see package netguard.
func (c *Cluster) Link(from, to string) cluster.Link {
	if c.guards != nil {
		if l := c.guards.Link(from, to); l != nil {
			return l
		}
	}
	return c.Group.Link(from, to)
}

// LosePackets loses a share of the packets between a member and the others.
func (c *Cluster) LosePackets(ctx context.Context, member string, share float64) (cluster.Harm, error) {
	if _, err := c.machineOf(member); err != nil {
		return nil, fmt.Errorf("lose packets: %w", err)
	}
	l, err := c.guards.LosePackets(ctx, member, share)
	if err != nil {
		return nil, err
	}
	return l, nil
}

// DelayPackets delays each packet that a member sends to another.
func (c *Cluster) DelayPackets(ctx context.Context, member string, delay, jitter time.Duration) (cluster.Harm, error) {
	if _, err := c.machineOf(member); err != nil {
		return nil, fmt.Errorf("delay packets: %w", err)
	}
	d, err := c.guards.DelayPackets(ctx, member, delay, jitter)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// PacketDelay is why members' packets cannot be delayed, as far as this machine shows:
// nil is that they can be, or that it will be seen when it is tried, as where the
// engine is on another machine.
func PacketDelay() error {
	if runtime.GOOS != "linux" || !isHere(where()) {
		return nil
	}
	return netguard.NoDelayHere()
}
