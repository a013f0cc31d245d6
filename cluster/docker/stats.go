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
	return m.cluster.engine.stats(ctx, m.server)
}

// stats are what the engine counts of a container.
func (e *engine) stats(ctx context.Context, id string) (container.StatsResponse, error) {
	var s container.StatsResponse
	answer, err := e.ContainerStats(ctx, id, client.ContainerStatsOptions{})
	if err != nil {
		return s, fmt.Errorf("ask what its container has used: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if err := json.NewDecoder(answer.Body).Decode(&s); err != nil {
		return s, fmt.Errorf("read what its container has used: %w", err)
	}
	return s, nil
}
