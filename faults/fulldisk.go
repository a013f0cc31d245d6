package faults

import (
	"context"
	"math/rand/v2"

	"github.com/etcd-holdfast/holdfast/cluster"
)

// fullWrites is how many large writes members have to store when the disk is full.
const fullWrites = 128

// fullDisk leaves no room on the disk of one member, and then writes 8 MiB, so that
// the member needs some: what it keeps in reserve for its log would else last for
// long. At the end it makes room again; a member that gave up is started again.
// Proved by how much room there is; the evidence says what the member said of it.
func fullDisk() Kind {
	return Kind{
		Name: "full-disk", Summary: "leave no room on one member's disk", Draws: true,
		needs: []need{needsFullDisk, needsCrash, needsStatus},
		inject: func(ctx context.Context, w *World, choice *rand.Rand, _ string) (*effect, error) {
			member, leader, target, err := onlyOne(w.Cluster, choice)
			if err != nil {
				return nil, err
			}
			disk, err := w.Cluster.(cluster.DiskFiller).FillDisk(ctx, member)
			if err != nil {
				return nil, err
			}
			b := newBurst(ctx, w)
			b.await(fullWrites)
			b.end()
			return &effect{
				target: target, heal: disk.Empty,
				prove: leaderMoved(w, leader, func(context.Context) (bool, string) { return disk.Evidence() }),
			}, nil
		},
	}
}
