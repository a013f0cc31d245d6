package faults

import (
	"context"
	"math/rand/v2"

	"github.com/etcd-holdfast/holdfast/cluster"
)

// lostShare is the share of packets that are lost: enough that what takes several
// packets in a row is often late for an election.
const lostShare = 0.3

// losePackets loses three of ten packets between one member and the others, in both
// directions. The kernel of whoever sent them sends them again: messages come late,
// and in order. Proved by the packets that were dropped.
func losePackets() Kind {
	return Kind{
		Name: "lose-packets", Summary: "lose three of ten packets between one member and the others", Draws: true,
		needs: []need{needsPacketLoss, needsStatus, needsThree},
		inject: func(ctx context.Context, w *World, choice *rand.Rand, _ string) (*effect, error) {
			return harmed(w, choice, func(member string) (cluster.Harm, error) {
				return w.Cluster.(cluster.PacketLoser).LosePackets(ctx, member, lostShare)
			})
		},
	}
}
