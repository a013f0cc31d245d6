package process

import (
	"context"
	"fmt"

	"github.com/etcd-holdfast/holdfast/cluster/inquiry"
)

// MoveLeader hands the leadership to a member in good order, and returns when it
// says that it leads.
func (c *Cluster) MoveLeader(ctx context.Context, name string) error {
	next, err := c.LifeOf(name)
	if err == nil {
		err = inquiry.MoveLeader(ctx, next.inquiry, c.inquiries())
	}
	if err != nil {
		return fmt.Errorf("make %s the leader: %w", name, err)
	}
	return nil
}

// inquiries are those of all members that run.
func (c *Cluster) inquiries() (all []*inquiry.Inquiry) {
	lives, running := c.Lives()
	for i, l := range lives {
		if running[i] && l.runs() {
			all = append(all, l.inquiry)
		}
	}
	return all
}
