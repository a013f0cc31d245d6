package netguard

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Loss is packets between one member and the others that get lost, in both
// directions. It is a cluster.Harm.
type Loss struct {
	network         *Network
	member          string
	share           float64
	arrived0, lost0 int64
}

// LosePackets loses a share, between 0 and 1, of the packets between a member and
// the others. Of two losses that hit the same packets the larger counts.
func (n *Network) LosePackets(ctx context.Context, member string, share float64) (*Loss, error) {
	if !(share > 0 && share <= 1) {
		return nil, fmt.Errorf("lose packets of %s: %v is no share between 0 and 1", member, share)
	}
	n.mu.Lock()
	_, there := n.guards[member]
	n.mu.Unlock()
	if !there {
		return nil, fmt.Errorf("lose packets of %s: there is no such member", member)
	}
	l := &Loss{network: n, member: member, share: share}
	l.arrived0, l.lost0 = l.count(ctx)
	n.mu.Lock()
	n.losses = append(n.losses, l)
	n.mu.Unlock()
	if err := l.settle(ctx); err != nil {
		return nil, errors.Join(err, l.Undo(ctx))
	}
	return l, nil
}

func (l *Loss) settle(ctx context.Context) error {
	l.network.mu.Lock()
	guards := l.network.all()
	l.network.mu.Unlock()
	return l.network.settle(ctx, guards...)
}

// count is how many packets between the member and the others have arrived since
// there are losses, and how many of these were lost.
func (l *Loss) count(ctx context.Context) (all, missing int64) {
	l.network.mu.Lock()
	guards := l.network.all()
	l.network.mu.Unlock()
	for _, here := range guards {
		counts := here.count(ctx)
		for _, there := range guards {
			if here != there && (here.name == l.member || there.name == l.member) {
				all += counts.Packets[counter(arrived, there.address)]
				missing += counts.Packets[counter(lost, there.address)]
			}
		}
	}
	return all, missing
}

// Evidence counts the packets that were lost.
func (l *Loss) Evidence(ctx context.Context) (seen bool, evidence string) {
	all, missing := l.count(ctx)
	all, missing = all-l.arrived0, missing-l.lost0
	return missing > 0, fmt.Sprintf("%d of %d packets lost", missing, all)
}

// Undo ends it.
func (l *Loss) Undo(ctx context.Context) error {
	l.network.mu.Lock()
	l.network.losses = slices.DeleteFunc(l.network.losses, func(other *Loss) bool { return other == l })
	l.network.mu.Unlock()
	return l.settle(ctx)
}
