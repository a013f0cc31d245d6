package embedded

import (
	"context"
	"errors"
	"fmt"
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
	m, err := c.member(name)
	if err != nil {
		return err
	}
	c.mu.Lock()
	next := m.life
	var old *life
	for _, other := range c.members {
		if l := other.life; l != nil && l.etcd.Server.Leader() == l.etcd.Server.MemberID() {
			old = l
		}
	}
	c.mu.Unlock()
	switch {
	case next == nil:
		return errors.New("it is down")
	case old == nil:
		return errors.New("nobody leads")
	case old == next:
		return nil
	}
	server := old.etcd.Server
	return server.MoveLeader(ctx, uint64(server.MemberID()), uint64(next.etcd.Server.MemberID()))
}
