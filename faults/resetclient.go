package faults

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/etcd-holdfast/holdfast/cluster/link"
)

// resetClient closes all connections of a client once; it can open new ones at
// once. Proved by connections severed.
func resetClient() Kind {
	return Kind{
		Name: "reset-client", Summary: "close a client's connections once; it can open new ones",
		OnClient: true, Instant: true,
		needs: []need{needsLinks},
		inject: func(ctx context.Context, w *World, choice *rand.Rand, target string) (*effect, error) {
			_, client, _ := victim(w, choice, target)
			if client == "" {
				return nil, errNobody
			}
			h := &harm{}
			for _, m := range w.Cluster.Members() {
				h.impose(w.Cluster, client, m, link.Condition{Cut: true})
			}
			severed := int64(0)
			for i, l := range h.links {
				severed += l.Stats().Severed - h.before[i].Severed
			}
			return &effect{
				target: client, client: client,
				prove: func(context.Context) (bool, string) {
					return severed > 0, fmt.Sprintf("%d connections severed", severed)
				},
			}, h.lift(ctx)
		},
	}
}
