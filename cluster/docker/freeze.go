package docker

import (
	"context"
	"fmt"
	"time"

	"github.com/moby/moby/client"

	"github.com/etcd-holdfast/holdfast/cluster"
)

// thawPatience is how long a container may take to go on.
const thawPatience = 20 * time.Second

// Frozen is a container that stands still.
type Frozen struct {
	engine    *engine
	container string
	cpu       uint64 // nanoseconds of processor time when it stood
}

// Freeze makes a member's container stand still, by the engine's pause: the kernel's
// freezer stops all of its processes at once.
func (c *Cluster) Freeze(ctx context.Context, member string) (cluster.Frozen, error) {
	l, err := c.LifeOf(member)
	if err == nil {
		var f *Frozen
		if f, err = c.engine.freeze(ctx, l.machine.server); err == nil {
			return f, nil
		}
	}
	return nil, fmt.Errorf("freeze member %s: %w", member, err)
}

func (e *engine) freeze(ctx context.Context, container string) (*Frozen, error) {
	if _, err := e.ContainerPause(ctx, container, client.ContainerPauseOptions{}); err != nil {
		return nil, err
	}
	f := &Frozen{engine: e, container: container}
	s, err := e.stats(ctx, container)
	if err != nil {
		f.Thaw()
		return nil, err
	}
	f.cpu = s.CPUStats.CPUUsage.TotalUsage
	return f, nil
}

// Evidence is that the engine says that the container is paused, and that it has had
// no processor time since it was.
func (f *Frozen) Evidence() (stands bool, evidence string) {
	ctx, cancel := context.WithTimeout(context.Background(), thawPatience)
	defer cancel()
	seen, err := f.engine.ContainerInspect(ctx, f.container, client.ContainerInspectOptions{})
	if err != nil {
		return false, err.Error()
	}
	if s := seen.Container.State; s == nil || !s.Paused {
		return false, "the engine says that its container is not paused"
	}
	now, err := f.engine.stats(ctx, f.container)
	if err != nil {
		return false, "the engine says that its container is paused, but not what it has done: " + err.Error()
	}
	since := time.Duration(now.CPUStats.CPUUsage.TotalUsage - f.cpu)
	return since == 0, fmt.Sprintf("the engine says that its container is paused; %v of processor time since", since)
}

// Thaw lets it go on. One that has ended meanwhile is left as it is.
func (f *Frozen) Thaw() {
	ctx, cancel := context.WithTimeout(context.Background(), thawPatience)
	defer cancel()
	_, _ = f.engine.ContainerUnpause(ctx, f.container, client.ContainerUnpauseOptions{})
}
