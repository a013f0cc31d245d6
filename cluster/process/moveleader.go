package process

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
)

// MoveLeader hands the leadership to a member in good order, and returns when it
// says that it leads.
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
	target, err := next.askOnce(ctx)
	if err != nil {
		return err
	}
	if target.Leader == target.Header.MemberId {
		return nil
	}
	old := c.leading()
	if old == nil {
		return errors.New("nobody leads")
	}
	request := &etcdserverpb.MoveLeaderRequest{TargetID: target.Header.MemberId}
	if _, err := etcdserverpb.NewMaintenanceClient(old.connection).MoveLeader(ctx, request); err != nil {
		return err
	}
	ticker := time.NewTicker(askPause / 10)
	defer ticker.Stop()
	for {
		if now, err := next.askOnce(ctx); err == nil && now.Leader == now.Header.MemberId {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("it does not lead yet: %w", context.Cause(ctx))
		}
	}
}

// leading is the life of the member that leads in the highest term, or nil.
func (c *Cluster) leading() (leader *life) {
	lives, running := c.Lives()
	term := uint64(0)
	for i, l := range lives {
		if !running[i] || !l.runs() {
			continue
		}
		if a := l.answer(); a != nil && a.Leader == a.Header.MemberId && a.RaftTerm >= term {
			leader, term = l, a.RaftTerm
		}
	}
	return leader
}
