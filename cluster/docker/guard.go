package docker

import (
	"context"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/internal/netguard"
)

// guardAttempts is how often a guard is started that does not come: a machine that is
// busy may take its time for the first.
const guardAttempts = 4

// guard starts a guard in each member's namespace, through which the links between
// members are harmed. Members serve without guards, too: who wants to harm their links
// is told why that cannot be.
func (c *Cluster) guard(ctx context.Context) {
	whys := make([]string, len(c.Members()))
	var works sync.WaitGroup
	for i, member := range c.Members() {
		works.Go(func() {
			if err := c.guardOne(ctx, member); err != nil {
				whys[i] = err.Error()
			}
		})
	}
	works.Wait()
	if whys = slices.DeleteFunc(whys, func(why string) bool { return why == "" }); len(whys) > 0 {
		c.config.say("links between members cannot be harmed: %s", strings.Join(whys, "; "))
	}
}

func (c *Cluster) guardOne(ctx context.Context, member string) (err error) {
	p := c.machines[member].pod
	for range guardAttempts {
		err = c.peers.Add(ctx, member, p.address, func(ctx context.Context) (io.ReadWriteCloser, error) {
			return c.engine.inPod(ctx, p, netguard.Role)
		})
		if err == nil || ctx.Err() != nil {
			break
		}
	}
	return err
}

// Link returns the link over which from dials to, or nil if there is none. Those
// between members are harmed in their namespaces, and count packets: see package
// netguard.
func (c *Cluster) Link(from, to string) cluster.Link {
	if l := c.peers.Link(from, to); l != nil {
		return l
	}
	return c.Group.Link(from, to)
}

// LosePackets loses a share of the packets between the member and the others.
func (c *Cluster) LosePackets(ctx context.Context, member string, share float64) (cluster.Harm, error) {
	harm, err := c.peers.LosePackets(ctx, member, share)
	if err != nil {
		return nil, err
	}
	return harm, nil
}

// DelayPackets delays each packet that the member sends to another, where the kernel
// of the engine's machine can.
func (c *Cluster) DelayPackets(ctx context.Context, member string, delay, jitter time.Duration) (cluster.Harm, error) {
	harm, err := c.peers.DelayPackets(ctx, member, delay, jitter)
	if err != nil {
		return nil, err
	}
	return harm, nil
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
