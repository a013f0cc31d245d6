package faults

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/etcd-holdfast/holdfast/cluster"
)

// pauseMember stops one member's process with SIGSTOP, and later lets it go on with
// SIGCONT. It is neither dead nor cut off: its connections stay open, what it is
// told is kept for it, and when it wakes it believes what it believed. Proved by
// /proc, which says of each of its threads that it stands and of the process that
// it has had no processor time.
func pauseMember() Kind {
	return Kind{
		Name: "pause-member", Summary: "stop one member's process where it is (SIGSTOP), and let it go on", Draws: true,
		needs: []need{needsFreeze, needsStatus},
		inject: func(ctx context.Context, w *World, choice *rand.Rand, _ string) (*effect, error) {
			member, err := anyRunning(w.Cluster, choice)
			if err != nil {
				return nil, err
			}
			return freeze(ctx, w, member)
		},
	}
}

// pauseLeader does the same to the member that leads. When it wakes it still
// believes that it leads, until it hears of the next one.
func pauseLeader() Kind {
	return Kind{
		Name: "pause-leader", Summary: "stop the leader's process where it is (SIGSTOP), and let it go on",
		needs: []need{needsFreeze, needsStatus},
		inject: func(ctx context.Context, w *World, _ *rand.Rand, _ string) (*effect, error) {
			leader, _ := leaderOf(w.Cluster)
			if leader == "" {
				return nil, errNobody
			}
			return freeze(ctx, w, leader)
		},
	}
}

func freeze(ctx context.Context, w *World, member string) (*effect, error) {
	leader, _ := leaderOf(w.Cluster)
	frozen, err := w.Cluster.(cluster.Freezer).Freeze(ctx, member)
	if err != nil {
		return nil, fmt.Errorf("stop %s: %w", member, err)
	}
	target := member
	if member == leader {
		target += " (leader)"
	}
	return &effect{
		target: target,
		prove:  leaderMoved(w, leader, func(context.Context) (bool, string) { return frozen.Evidence() }),
		heal:   func(context.Context) error { frozen.Thaw(); return nil },
	}, nil
}
