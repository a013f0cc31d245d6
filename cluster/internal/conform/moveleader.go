package conform

import (
	"testing"

	"github.com/etcd-holdfast/holdfast/cluster/members"
)

func testTheLeadershipMoves(t *testing.T, b Backend) {
	c := start(t, b, members.Config{Members: 3})
	next := others(c, agreedLeader(t, c, c.Members()...))[0]
	if err := c.MoveLeader(bounded(t), next); err != nil {
		t.Fatal(err)
	}
	eventually(t, next+" leads", func() bool { return status(c, next).Leads })
	if err := c.MoveLeader(bounded(t), "m9"); err == nil {
		t.Error("the leadership moved to a member that there is not")
	}
	down := others(c, next)[0]
	if err := c.Crash(bounded(t), down); err != nil {
		t.Fatal(err)
	}
	if err := c.MoveLeader(bounded(t), down); err == nil {
		t.Error("the leadership moved to a member that is down")
	}
}
