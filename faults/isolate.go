package faults

import (
	"context"
	"math/rand/v2"
)

// isolateLeader cuts the leader off from all other members; clients can still
// reach it. Proved by severed and refused peer connections; the evidence says
// whether the leader moved. Healed by lifting the cut.
func isolateLeader() Kind {
	return Kind{
		Name: "isolate-leader", Summary: "cut the leader off from all other members",
		needs: []need{needsPeerLinks, needsStatus, needsThree},
		inject: func(ctx context.Context, w *World, _ *rand.Rand, _ string) (*effect, error) {
			leader, _ := leaderOf(w.Cluster)
			if leader == "" {
				return nil, errNobody
			}
			h := isolate(w, leader)
			return h.injected(ctx, &effect{target: leader, prove: leaderMoved(w, leader, h.cutSeen), heal: h.lift})
		},
	}
}

// isolateMember cuts any one member off from all others; clients can still
// reach it. Proved and healed as isolateLeader.
func isolateMember() Kind {
	return Kind{
		Name: "isolate-member", Summary: "cut one member off from all others", Draws: true,
		needs: []need{needsPeerLinks, needsThree},
		inject: func(ctx context.Context, w *World, choice *rand.Rand, _ string) (*effect, error) {
			member, err := anyRunning(w.Cluster, choice)
			if err != nil {
				return nil, err
			}
			h := isolate(w, member)
			return h.injected(ctx, &effect{target: member, prove: h.cutSeen, heal: h.lift})
		},
	}
}
