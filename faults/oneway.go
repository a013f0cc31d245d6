package faults

import (
	"context"
	"math/rand/v2"
)

// oneWay makes a member mute or deaf: what it says to the others, or what they
// say to it, is kept back, while the other direction passes. Proved by bytes
// held back. Healed by delivering them.
func oneWay() Kind {
	return Kind{
		Name: "one-way", Summary: "keep back what one member says to the others, or what they say to it", Draws: true,
		needs: []need{needsPeerLinks, needsThree},
		inject: func(ctx context.Context, w *World, choice *rand.Rand, _ string) (*effect, error) {
			member, err := anyRunning(w.Cluster, choice)
			if err != nil {
				return nil, err
			}
			mute := choice.IntN(2) == 0
			h := &harm{}
			for _, other := range others(w.Cluster, member) {
				if mute {
					h.silence(w.Cluster, member, other)
				} else {
					h.silence(w.Cluster, other, member)
				}
			}
			target := member + " deaf"
			if mute {
				target = member + " mute"
			}
			return h.injected(ctx, &effect{target: target, prove: h.heldSeen, heal: h.lift})
		},
	}
}
