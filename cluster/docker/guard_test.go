package docker

import (
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster/internal/conform"
	"github.com/etcd-holdfast/holdfast/cluster/link"
)

// Packets between a member and the others get lost, and the cluster serves all the
// same; they are delayed where the kernel can, and else it is said why not.
// Links between members can be cut.
func TestHarmPackets(t *testing.T) {
	c := startHere(t)
	leader, others := leaderOf(t, c)
	ctx := conform.Bounded(t)
	harm, err := c.LosePackets(ctx, leader, 0.2)
	if err != nil {
		t.Fatal(err)
	}
	client := conform.Connect(t, c, "c1")
	conform.Eventually(t, "packets are lost", func() bool {
		if _, err := client.Put(ctx, "key", "value"); err != nil {
			t.Fatal(err)
		}
		seen, _ := harm.Evidence(ctx)
		return seen
	})
	if err := harm.Undo(ctx); err != nil {
		t.Fatal(err)
	}

	delayed, err := c.DelayPackets(ctx, leader, time.Millisecond, 0)
	switch why := c.peers.NoDelay(); {
	case why != nil && (err == nil || !strings.Contains(err.Error(), why.Error()) || PacketDelay() == nil):
		t.Errorf("%v; %v; %v", why, err, PacketDelay())
	case why == nil && err != nil:
		t.Error(err)
	case why == nil:
		conform.Eventually(t, "packets are delayed", func() bool { seen, _ := delayed.Evidence(ctx); return seen })
		if err := delayed.Undo(ctx); err != nil {
			t.Fatal(err)
		}
	}

	l := c.Link(others[0], leader)
	lift := l.Impose(link.Condition{Cut: true})
	conform.Eventually(t, "connections are severed or refused", func() bool { s := l.Stats(); return s.Severed+s.Refused > 0 })
	lift()
	if _, err := c.LosePackets(ctx, "m9", 0.2); err == nil || !strings.Contains(err.Error(), "m9") {
		t.Errorf("packets of nobody: %v", err)
	}
}
