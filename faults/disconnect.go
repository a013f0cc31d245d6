package faults

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/etcd-holdfast/holdfast/cluster"
)

// disconnectMember takes one member out of the network in which the members meet:
// its interface goes, and with it its address. Connections are not reset; what either
// side sends goes nowhere, and is sent again when the member is back. Clients still
// reach it. Proved by whoever keeps the network, and by the member's own addresses.
func disconnectMember() Kind {
	return Kind{
		Name: "disconnect-member", Summary: "take one member out of the network of the members", Draws: true,
		needs: []need{needsUnplug, needsStatus, needsThree},
		inject: func(ctx context.Context, w *World, choice *rand.Rand, _ string) (*effect, error) {
			return harmed(w, choice, func(member string) (cluster.Harm, error) {
				return w.Cluster.(cluster.Unplugger).Unplug(ctx, member)
			})
		},
	}
}

// harmed does something to any one member that runs, and lasts until it is healed.
func harmed(w *World, choice *rand.Rand, do func(member string) (cluster.Harm, error)) (*effect, error) {
	member, err := anyRunning(w.Cluster, choice)
	if err != nil {
		return nil, err
	}
	leader, _ := leaderOf(w.Cluster)
	h, err := do(member)
	if err != nil {
		return nil, fmt.Errorf("harm %s: %w", member, err)
	}
	target := member
	if member == leader {
		target += " (leader)"
	}
	return &effect{target: target, prove: leaderMoved(w, leader, h.Evidence), heal: h.Undo}, nil
}
