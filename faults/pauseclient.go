package faults

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/etcd-holdfast/holdfast/cluster"
)

// pauseClient makes a client stand still, as a process does that is stopped, or
// waits for memory or for its collector: it does nothing, and what it is told
// meanwhile it hears when it wakes. If that is after its lease has ended, it may
// go on as if it held what it held. Proved by turns that the client was kept from
// taking, or bytes kept back. Healed by letting it go on.
func pauseClient() Kind {
	return Kind{
		Name: "pause-client", Summary: "make a client stand still: it does nothing and hears nothing, and then goes on",
		OnClient: true,
		needs:    []need{needsLinks, needsPause},
		inject: func(_ context.Context, w *World, choice *rand.Rand, target string) (*effect, error) {
			_, client, _ := victim(w, choice, target)
			if client == "" {
				return nil, errNobody
			}
			h := &harm{}
			for _, m := range w.Cluster.Members() {
				h.impose(w.Cluster, client, m, bothWays())
			}
			kept, resume := w.Cluster.(cluster.Pauser).Pause(client)
			return &effect{
				target: client, client: client,
				prove: func(ctx context.Context) (bool, string) {
					held, evidence := h.heldSeen(ctx)
					n := kept()
					return held || n > 0, fmt.Sprintf("%d things that it was about to do kept waiting, %s", n, evidence)
				},
				heal: func(ctx context.Context) error {
					resume()
					return h.lift(ctx)
				},
			}, nil
		},
	}
}
