package conform

import (
	"testing"

	"github.com/etcd-holdfast/holdfast/cluster/members"
)

func testTheLeadershipMoves(t *testing.T, b Backend) {
	c := start(t, b, members.Config{Members: 3})
	next := others(c, agreedLeader(t, c, c.Members()...))[0]
	if err := c.MoveLeader(Bounded(t), next); err != nil {
		t.Fatal(err)
	}
	Eventually(t, next+" leads", func() bool { return Status(c, next).Leads })
	if err := c.MoveLeader(Bounded(t), "m9"); err == nil {
		t.Error("the leadership moved to a member that there is not")
	}
	down := others(c, next)[0]
	if err := c.Crash(Bounded(t), down); err != nil {
		t.Fatal(err)
	}
	if err := c.MoveLeader(Bounded(t), down); err == nil {
		t.Error("the leadership moved to a member that is down")
	}
}
