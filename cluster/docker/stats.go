package docker

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// stats are what the engine counts of a member's container.
func (m *machine) stats(ctx context.Context) (container.StatsResponse, error) {
	var s container.StatsResponse
	answer, err := m.cluster.engine.ContainerStats(ctx, m.server, client.ContainerStatsOptions{})
	if err != nil {
		return s, fmt.Errorf("ask what its container has used: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if err := json.NewDecoder(answer.Body).Decode(&s); err != nil {
		return s, fmt.Errorf("read what its container has used: %w", err)
	}
	return s, nil
}

// processorTime is how long the container has had a processor, in nanoseconds, since
// it was started.
func (m *machine) processorTime(ctx context.Context) (uint64, error) {
	s, err := m.stats(ctx)
	return s.CPUStats.CPUUsage.TotalUsage, err
}
