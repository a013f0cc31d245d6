package netguard

import (
	"context"
	"sync"

	"github.com/etcd-holdfast/holdfast/cluster/link"
)

// Link is the way on which one member dials another. Package netguard says what
// its conditions promise. Conditions add up, as those of link.Link do.
type Link struct {
	network  *Network
	from, to string

	// How many impositions in force ask for each harm; guarded by Network.mu.
	cuts   int
	stalls [2]int
}

// Impose puts the link into condition c until lift is called, which may be more
// than once. When Impose returns, c is in force, unless Settle returns an error;
// then it may be in part.
func (l *Link) Impose(c link.Condition) (lift func()) {
	l.add(c, 1)
	_ = l.Settle(context.Background()) // who wants to know asks again
	return sync.OnceFunc(func() {
		l.add(c, -1)
		_ = l.Settle(context.Background())
	})
}

func (l *Link) add(c link.Condition, n int) {
	l.network.mu.Lock()
	defer l.network.mu.Unlock()
	if c.Cut {
		l.cuts += n
	}
	if c.StallToTarget {
		l.stalls[link.ToTarget] += n
	}
	if c.StallToDialler {
		l.stalls[link.ToDialler] += n
	}
}

// Settle sees to it that the link is in the condition that was asked for last,
// and returns why it is not.
func (l *Link) Settle(ctx context.Context) error {
	dialler, target := l.guards()
	return l.network.settle(ctx, dialler, target)
}

func (l *Link) guards() (dialler, target *guard) {
	l.network.mu.Lock()
	defer l.network.mu.Unlock()
	return l.network.guards[l.from], l.network.guards[l.to]
}

// Stats returns the counters as they are now or, of a guard that does not answer,
// as they were. Bytes are not counted: Rejected and Dropped packets are, in place
// of Held and Passed. Refused are attempts to open a connection, each try counted.
func (l *Link) Stats() link.Stats {
	dialler, target := l.guards()
	ctx := context.Background()
	sent, there := dialler.count(ctx), target.count(ctx)
	from, to := dialler.address, target.address
	return link.Stats{
		From: l.from, To: l.to,
		Open: there.Open[from], Severed: there.Severed[from],
		Refused: there.Packets[counter(refused, from)],
		Rejected: link.Packets{
			ToTarget: there.Packets[counter(rejected, from)], ToDialler: there.Packets[counter(resetBack, from)],
		},
		Dropped: link.Packets{
			ToTarget: sent.Packets[counter(questions, to)], ToDialler: there.Packets[counter(answers, from)],
		},
	}
}

// Requests returns zero: what members say to each other is not read.
func (l *Link) Requests() int64 { return 0 }

// Tap does nothing: what members say to each other is not read.
func (l *Link) Tap(func(link.Message)) (remove func()) { return func() {} }
