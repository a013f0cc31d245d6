package netguard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Delay is packets of one member that are delayed. It is a cluster.Harm.
type Delay struct {
	network       *Network
	member        string
	delay, jitter time.Duration
	before        int64
}

// DelayPackets delays each packet that leaves the member on the way to the others
// by delay, and up to jitter more or less, so that one may pass another. The error
// is that of NoDelay where it cannot be done. Of two delays of one member the
// longer counts.
func (n *Network) DelayPackets(ctx context.Context, member string, delay, jitter time.Duration) (*Delay, error) {
	if delay <= 0 || jitter < 0 || jitter > delay {
		return nil, fmt.Errorf("delay packets of %s: %v and up to %v more or less is no delay", member, delay, jitter)
	}
	n.mu.Lock()
	g := n.guards[member]
	n.mu.Unlock()
	if g == nil {
		return nil, fmt.Errorf("delay packets of %s: there is no such member", member)
	}
	if err := n.NoDelay(); err != nil {
		return nil, fmt.Errorf("delay packets of %s: %w", member, err)
	}
	d := &Delay{network: n, member: member, delay: delay, jitter: jitter, before: g.count(ctx).Delayed}
	n.mu.Lock()
	n.delays = append(n.delays, d)
	n.mu.Unlock()
	if err := n.settle(ctx, g); err != nil {
		return nil, errors.Join(err, d.Undo(ctx))
	}
	return d, nil
}

func (d *Delay) guard() *guard {
	d.network.mu.Lock()
	defer d.network.mu.Unlock()
	return d.network.guards[d.member]
}

// Evidence counts the packets that were delayed.
func (d *Delay) Evidence(ctx context.Context) (seen bool, evidence string) {
	n := d.guard().count(ctx).Delayed - d.before
	return n > 0, fmt.Sprintf("%d packets delayed by %v, and up to %v more or less", n, d.delay, d.jitter)
}

// Undo ends it. What is on its way meanwhile is dropped, and sent again.
func (d *Delay) Undo(ctx context.Context) error {
	d.network.mu.Lock()
	d.network.delays = slices.DeleteFunc(d.network.delays, func(other *Delay) bool { return other == d })
	d.network.mu.Unlock()
	return d.network.settle(ctx, d.guard())
}
