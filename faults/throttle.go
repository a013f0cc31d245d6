package faults

import (
	"context"
	"math/rand/v2"

	"github.com/etcd-holdfast/holdfast/cluster"
)

// throttledTo is the share of a processor that is left: 5 ms of each 100 ms, so that
// a member which has something to do is late for its heartbeats.
const throttledTo = 0.05

// throttleMember leaves one member a twentieth of a processor. Proved by the kernel,
// which counts how often it kept the member waiting.
func throttleMember() Kind {
	return Kind{
		Name: "throttle-member", Summary: "leave one member a twentieth of a processor", Draws: true,
		needs: []need{needsThrottle, needsStatus},
		inject: func(ctx context.Context, w *World, choice *rand.Rand, _ string) (*effect, error) {
			return harmed(w, choice, func(member string) (cluster.Harm, error) {
				return w.Cluster.(cluster.Throttler).Throttle(ctx, member, throttledTo)
			})
		},
	}
}
