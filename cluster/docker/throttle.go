package docker

import (
	"context"
	"fmt"
	"math"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/etcd-holdfast/holdfast/cluster"
)

const (
	// throttlePeriod is the time, in microseconds, of which a throttled container has a
	// share, and smallestQuota the least of it that a kernel gives.
	throttlePeriod = 100_000
	smallestQuota  = 1_000
)

// throttled is a member that has less of a processor.
type throttled struct {
	machine *machine
	before  uint64 // periods in which it was kept waiting
}

// Throttle leaves a member's container that many processors.
func (c *Cluster) Throttle(ctx context.Context, member string, processors float64) (cluster.Harm, error) {
	t, err := c.throttle(ctx, member, processors)
	if err != nil {
		return nil, fmt.Errorf("throttle member %s: %w", member, err)
	}
	return t, nil
}

func (c *Cluster) throttle(ctx context.Context, member string, processors float64) (*throttled, error) {
	m, err := c.machineOf(member)
	if err != nil {
		return nil, err
	}
	quota := int64(math.Round(processors * throttlePeriod))
	if quota < smallestQuota {
		return nil, fmt.Errorf("%v processors are too few; the least is %v", processors, float64(smallestQuota)/throttlePeriod)
	}
	s, err := m.stats(ctx)
	if err != nil {
		return nil, err
	}
	return &throttled{m, s.CPUStats.ThrottlingData.ThrottledPeriods}, m.setQuota(ctx, quota)
}

// setQuota sets how many microseconds of each period the container has; -1 is all.
func (m *machine) setQuota(ctx context.Context, quota int64) error {
	_, err := m.cluster.engine.ContainerUpdate(ctx, m.server, client.ContainerUpdateOptions{
		Resources: &container.Resources{CPUPeriod: throttlePeriod, CPUQuota: quota},
	})
	return err
}

// Evidence is in how many periods the kernel kept the container waiting.
func (t *throttled) Evidence(ctx context.Context) (seen bool, evidence string) {
	s, err := t.machine.stats(ctx)
	if err != nil {
		return false, err.Error()
	}
	now := s.CPUStats.ThrottlingData.ThrottledPeriods
	if now < t.before { // it was started anew meanwhile
		t.before = 0
	}
	return now > t.before, fmt.Sprintf("kept waiting for a processor in %d periods of 100 ms", now-t.before)
}

// Undo gives it all processors.
func (t *throttled) Undo(ctx context.Context) error {
	if err := t.machine.setQuota(ctx, -1); err != nil {
		return fmt.Errorf("end the throttling of member %s: %w", t.machine.place.Name, err)
	}
	return nil
}
