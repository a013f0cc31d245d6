package embedded

import (
	"context"
	"errors"
	"fmt"

	"github.com/etcd-holdfast/holdfast/cluster/server"
)

// MoveLeader hands the leadership to a member in good order, and returns when it
// leads by the old leader's account.
func (c *Cluster) MoveLeader(ctx context.Context, name string) error {
	if err := c.moveLeader(ctx, name); err != nil {
		return fmt.Errorf("make %s the leader: %w", name, err)
	}
	return nil
}

func (c *Cluster) moveLeader(ctx context.Context, name string) error {
	next, err := c.LifeOf(name)
	if err != nil {
		return err
	}
	lives, running := c.Lives()
	var old *server.Server
	for i, l := range lives {
		if running[i] && l.Etcd.Server.Leader() == l.Etcd.Server.MemberID() {
			old = l
		}
	}
	switch old {
	case nil:
		return errors.New("nobody leads")
	case next:
		return nil
	}
	etcd := old.Etcd.Server
	return etcd.MoveLeader(ctx, uint64(etcd.MemberID()), uint64(next.Etcd.Server.MemberID()))
}
