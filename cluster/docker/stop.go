package docker

import (
	"context"
	"errors"
	"fmt"
)

// Stop asks a member to end, with SIGTERM, as docker stop does, and kills it when ctx
// ends before it has. It returns true if the member ended by itself.
func (c *Cluster) Stop(ctx context.Context, member string) (byItself bool, err error) {
	err = c.EndBy(context.WithoutCancel(ctx), member, func(l *life) error {
		var err error
		byItself, err = l.stop(ctx)
		return errors.Join(err, l.inquiry.Close())
	})
	if err != nil {
		return false, fmt.Errorf("stop member %s: %w", member, err)
	}
	return byItself, nil
}

func (l *life) stop(ctx context.Context) (byItself bool, err error) {
	if err := l.machine.signal(ctx, "SIGTERM"); err != nil {
		if ctx.Err() != nil { // there was no time to ask
			err = nil
		}
		return false, errors.Join(err, l.kill())
	}
	select {
	case <-l.ended:
		l.logging.Wait()
		const terminated = 128 + 15
		return l.state != nil && (l.state.ExitCode == 0 || l.state.ExitCode == terminated), nil
	case <-ctx.Done():
		return false, l.kill()
	}
}
