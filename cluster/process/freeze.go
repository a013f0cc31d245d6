package process

import (
	"context"
	"errors"
	"fmt"

	"github.com/etcd-holdfast/holdfast/cluster"
)

// Freeze stops a member's process with SIGSTOP, and returns when each of its threads
// stands. Status goes on to tell what the member said last.
func (c *Cluster) Freeze(ctx context.Context, member string) (cluster.Frozen, error) {
	l, err := c.LifeOf(member)
	if err != nil {
		return nil, fmt.Errorf("freeze member %s: %w", member, err)
	}
	frozen, err := l.process.Freeze(ctx)
	if err != nil {
		return nil, fmt.Errorf("freeze member %s: %w", member, err)
	}
	return frozen, nil
}

// Stop asks a member to end, with SIGTERM, and kills it when ctx ends before it has.
// It returns true if the member ended by itself, with exit code 0 or of the signal.
func (c *Cluster) Stop(ctx context.Context, member string) (byItself bool, err error) {
	err = c.EndBy(context.WithoutCancel(ctx), member, func(l *life) error {
		var err error
		byItself, err = l.process.Stop(ctx)
		return errors.Join(err, l.forget())
	})
	if err != nil {
		return false, fmt.Errorf("stop member %s: %w", member, err)
	}
	return byItself, nil
}
