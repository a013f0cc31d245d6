package docker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/moby/moby/client"

	"github.com/etcd-holdfast/holdfast/cluster"
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

// thawPatience is how long a member may take to go on.
const thawPatience = 20 * time.Second

// frozen is a member whose container stands still.
type frozen struct {
	life *life
	cpu  uint64 // nanoseconds of processor time when it stood
}

// Freeze makes a member's container stand still, by the engine's pause: the kernel's
// freezer stops all of its processes at once.
func (c *Cluster) Freeze(ctx context.Context, member string) (cluster.Frozen, error) {
	l, err := c.LifeOf(member)
	if err == nil {
		_, err = c.engine.ContainerPause(ctx, l.machine.server, client.ContainerPauseOptions{})
	}
	if err != nil {
		return nil, fmt.Errorf("freeze member %s: %w", member, err)
	}
	f := &frozen{life: l}
	if f.cpu, err = l.machine.processorTime(ctx); err != nil {
		f.Thaw()
		return nil, fmt.Errorf("freeze member %s: %w", member, err)
	}
	return f, nil
}

// Evidence is that the engine says that the container is paused, and that it has had
// no processor time since it was.
func (f *frozen) Evidence() (stands bool, evidence string) {
	ctx, cancel := context.WithTimeout(context.Background(), thawPatience)
	defer cancel()
	m := f.life.machine
	seen, err := m.cluster.engine.ContainerInspect(ctx, m.server, client.ContainerInspectOptions{})
	if err != nil {
		return false, err.Error()
	}
	if s := seen.Container.State; s == nil || !s.Paused {
		return false, "the engine says that its container is not paused"
	}
	cpu, err := m.processorTime(ctx)
	if err != nil {
		return false, "the engine says that its container is paused, but not what it has done: " + err.Error()
	}
	since := time.Duration(cpu - f.cpu)
	return since == 0, fmt.Sprintf("the engine says that its container is paused; %v of processor time since", since)
}

// Thaw lets it go on. One that has ended meanwhile is left as it is.
func (f *frozen) Thaw() {
	ctx, cancel := context.WithTimeout(context.Background(), thawPatience)
	defer cancel()
	m := f.life.machine
	_, _ = m.cluster.engine.ContainerUnpause(ctx, m.server, client.ContainerUnpauseOptions{})
}
