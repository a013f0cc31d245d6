package faults

import (
	"context"
	"math/rand/v2"

	"github.com/etcd-holdfast/holdfast/cluster"
)

// squeezedTo is the share of the memory in use that is left.
const squeezedTo = 0.5

// squeezeMemory leaves one member half of the memory that it uses, and no swap. What
// it needs of its program and data is read from the disk again and again; a member
// that needs more than that is killed by the kernel, and started again at the end.
// Proved by how often it met its limit, or by its death.
func squeezeMemory() Kind {
	return Kind{
		Name: "squeeze-memory", Summary: "leave one member half of the memory that it uses", Draws: true,
		needs: []need{needsSqueeze, needsStatus},
		inject: func(ctx context.Context, w *World, choice *rand.Rand, _ string) (*effect, error) {
			if err := allRun(w.Cluster); err != nil { // this one may go down
				return nil, err
			}
			return harmed(w, choice, func(member string) (cluster.Harm, error) {
				return w.Cluster.(cluster.Squeezer).Squeeze(ctx, member, squeezedTo)
			})
		},
	}
}
