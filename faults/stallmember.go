package faults

import (
	"context"
	"math/rand/v2"

	"github.com/etcd-holdfast/holdfast/cluster/link"
)

// stallMember keeps back every byte between one member and all others, and
// between it and the clients, both ways, and delivers them at the end: what a
// paused process looks like from outside. The member itself runs on, and so do
// its timers. Proved by bytes held back.
func stallMember() Kind {
	return Kind{
		Name: "stall-member", Summary: "keep back all bytes between one member and everybody else",
		needs: []need{needsLinks},
		inject: func(_ context.Context, w *World, choice *rand.Rand, _ string) (*effect, error) {
			member, err := anyRunning(w.Cluster, choice)
			if err != nil {
				return nil, err
			}
			h := stall(w, member)
			return &effect{target: member, prove: h.heldSeen, heal: h.lift}, nil
		},
	}
}

// stallLeader is stallMember for the leader. The evidence says whether the
// leader moved.
func stallLeader() Kind {
	return Kind{
		Name: "stall-leader", Summary: "keep back all bytes between the leader and everybody else",
		needs: []need{needsLinks, needsStatus},
		inject: func(_ context.Context, w *World, _ *rand.Rand, _ string) (*effect, error) {
			leader, _ := leaderOf(w.Cluster)
			if leader == "" {
				return nil, errNobody
			}
			h := stall(w, leader)
			return &effect{target: leader, prove: leaderMoved(w, leader, h.heldSeen), heal: h.lift}, nil
		},
	}
}

// stall keeps back all that member says and hears, except to and from the
// harness.
func stall(w *World, member string) *harm {
	both := link.Condition{StallToTarget: true, StallToDialler: true}
	h := &harm{}
	for _, other := range others(w.Cluster, member) {
		h.impose(w.Cluster, member, other, both)
		h.impose(w.Cluster, other, member, both)
	}
	for _, slot := range w.Clients.Slots("") {
		if name, _ := w.Clients.Current(slot); name != "" {
			h.impose(w.Cluster, name, member, both)
		}
	}
	return h
}
