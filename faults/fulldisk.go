package faults

import (
	"context"
	"math/rand/v2"

	"github.com/etcd-holdfast/holdfast/cluster"
)

// fullDisk leaves no room on the disk of one member, and makes room again at the
// end; a member that gave up for it is started again. Proved by how much room there
// is; the evidence says what the member said of it.
func fullDisk() Kind {
	return Kind{
		Name: "full-disk", Summary: "leave no room on one member's disk", Draws: true,
		needs: []need{needsFullDisk, needsCrash, needsStatus},
		inject: func(ctx context.Context, w *World, choice *rand.Rand, _ string) (*effect, error) {
			if err := allRun(w.Cluster); err != nil {
				return nil, err
			}
			member := anyMember(w.Cluster, choice)
			leader, _ := leaderOf(w.Cluster)
			target := member
			if member == leader {
				target += " (leader)"
			}
			disk, err := w.Cluster.(cluster.DiskFiller).FillDisk(ctx, member)
			if err != nil {
				return nil, err
			}
			return &effect{
				target: target, heal: disk.Empty,
				prove: leaderMoved(w, leader, func(context.Context) (bool, string) { return disk.Evidence() }),
			}, nil
		},
	}
}
