package docker

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/internal/netguard"
)

// guard starts a guard in each member's namespace, through which the links between
// members are harmed.
func (c *Cluster) guard(ctx context.Context) error {
	errs := make([]error, 0, len(c.machines))
	var mu sync.Mutex
	var works sync.WaitGroup
	for _, member := range c.Members() {
		p := c.machines[member].pod
		works.Go(func() {
			err := c.peers.Add(ctx, member, p.address, func(ctx context.Context) (io.ReadWriteCloser, error) {
				return c.engine.inPod(ctx, p, netguard.Role)
			})
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
		})
	}
	works.Wait()
	return errors.Join(errs...)
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
