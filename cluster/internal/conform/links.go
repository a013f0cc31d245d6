package conform

import (
	"context"
	"testing"

	"github.com/etcd-holdfast/holdfast/cluster/link"

	"github.com/etcd-holdfast/holdfast/cluster/members"
)

func testIsolatingTheLeaderMovesLeadership(t *testing.T, b Backend) {
	c := start(t, b, members.Config{})
	isolated := agreedLeader(t, c, c.Members()...)
	term := Status(c, isolated).Term
	cut := link.Condition{Cut: true}
	heal := impose(t, c, isolated, cut, cut)

	rest := others(c, isolated)
	Eventually(t, "the others elect another leader", func() bool {
		s := Status(c, rest[0])
		return s.Leader != "" && s.Leader != isolated
	})
	Eventually(t, "the isolated one finds out", func() bool { return !Status(c, isolated).Leads })
	put(t, Connect(t, c, "c1", rest...), "written", "without it")

	heal()
	if leader := agreedLeader(t, c, c.Members()...); leader == isolated {
		t.Errorf("%s leads again", leader)
	}
	expectValue(t, Connect(t, c, "c2", isolated), "written", "without it")
	Eventually(t, "the term has grown", func() bool { return Status(c, isolated).Term > term })
}

// Nothing that the leader says reaches anybody, but it hears everything. What
// it says passes on links of both dial directions.
func testOneWayStallSilencesTheLeader(t *testing.T, b Backend) {
	c := start(t, b, members.Config{})
	silenced := agreedLeader(t, c, c.Members()...)
	heal := impose(t, c, silenced, link.Stall(link.ToTarget), link.Stall(link.ToDialler))

	rest := others(c, silenced)
	for _, other := range rest {
		Eventually(t, "messages are held", func() bool {
			s := c.Link(other, silenced).Stats()
			return s.Held.ToDialler > 0 || s.Dropped.ToDialler > 0
		})
	}
	Eventually(t, "the others elect another leader", func() bool {
		s := Status(c, rest[0])
		return s.Leader != "" && s.Leader != silenced
	})
	heal()
	agreedLeader(t, c, c.Members()...)
	put(t, Connect(t, c, "c1"), "after", "the heal")
}

func testCuttingAClient(t *testing.T, b Backend) {
	c := start(t, b, members.Config{})
	cut, free := Connect(t, c, "c1"), Connect(t, c, "c2")
	put(t, cut, "key", "before")

	var lifts []func()
	for _, m := range c.Members() {
		lifts = append(lifts, c.Link("c1", m).Impose(link.Condition{Cut: true}))
	}
	ctx, cancel := context.WithCancel(context.Background())
	failed := make(chan error, 1)
	go func() {
		_, err := cut.Put(ctx, "key", "never")
		failed <- err
	}()
	Eventually(t, "the client is refused", func() bool {
		refused := int64(0)
		for _, m := range c.Members() {
			refused += c.Link("c1", m).Stats().Refused
		}
		return refused > 0
	})
	put(t, free, "key", "by another client")
	cancel()
	if err := <-failed; err == nil {
		t.Error("a client that was cut off could write")
	}

	for _, lift := range lifts {
		lift()
	}
	// A connection that was dialled before, and is reset only now, may take a write along.
	Eventually(t, "the client writes again", func() bool {
		_, err := cut.Put(Bounded(t), "key", "after")
		return err == nil
	})
	expectValue(t, free, "key", "after")
}
