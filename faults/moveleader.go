package faults

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/etcd-holdfast/holdfast/cluster"
)

// moveLeader hands the leadership to another member in good order, as an operator
// does before maintenance. The new leader gives every lease its whole time again.
// Proved by who leads then.
func moveLeader() Kind {
	return Kind{
		Name: "move-leader", Summary: "hand the leadership to another member: every lease begins anew",
		Instant: true,
		needs:   []need{needsStatus, needsThree, needsMove},
		inject: func(ctx context.Context, w *World, choice *rand.Rand, _ string) (*effect, error) {
			leader, _ := leaderOf(w.Cluster)
			if leader == "" {
				return nil, errNobody
			}
			rest := others(w.Cluster, leader)
			next := rest[choice.IntN(len(rest))]
			if err := w.Cluster.(cluster.LeaderMover).MoveLeader(ctx, next); err != nil {
				return nil, fmt.Errorf("move the leadership from %s to %s: %w", leader, next, err)
			}
			now, term := leaderOf(w.Cluster)
			return &effect{target: leader + " to " + next, prove: func(context.Context) (bool, string) {
				return now == next, fmt.Sprintf("%s led then (term %d)", now, term)
			}}, nil
		},
	}
}
