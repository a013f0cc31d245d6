package faults

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster"
)

// Each packet is on its way for between 50 and 250 ms more.
const (
	packetDelay  = 150 * time.Millisecond
	packetJitter = 100 * time.Millisecond
)

// delayPackets delays each packet that one member sends to the others by 50 to 250 ms.
// Packets pass one another; messages do not. Proved by the packets that were delayed.
func delayPackets() Kind {
	return Kind{
		Name: "delay-packets", Summary: "delay each packet of one member to the others by 50 to 250 ms", Draws: true,
		needs: []need{needsPacketDelay, needsStatus, needsThree},
		inject: func(ctx context.Context, w *World, choice *rand.Rand, _ string) (*effect, error) {
			return harmed(w, choice, func(member string) (cluster.Harm, error) {
				return w.Cluster.(cluster.PacketDelayer).DelayPackets(ctx, member, packetDelay, packetJitter)
			})
		},
	}
}
