package faults

import (
	"context"
	"fmt"
	"math/rand/v2"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// crashClient kills a client without a goodbye: its lease, if it has one, is
// left to expire. A replacement with another name follows. Proved by the record
// of its death, after which nothing more is heard of it; the evidence says what
// became of its lease.
func crashClient() Kind {
	return Kind{
		Name: "crash-client", Summary: "kill a client without a goodbye: its lease is left to expire",
		OnClient: true, Instant: true,
		inject: func(ctx context.Context, w *World, choice *rand.Rand, target string) (*effect, error) {
			slot, client, lease := victim(w, choice, target)
			if client == "" || !w.Clients.Crash(slot) {
				return nil, errNobody
			}
			return &effect{target: client, prove: func(ctx context.Context) (bool, string) {
				if lease == 0 {
					return true, "it is dead; it had no session"
				}
				left, err := w.Admin.TimeToLive(ctx, clientv3.LeaseID(lease))
				if err != nil {
					return false, fmt.Sprintf("asking for its lease failed: %v", err)
				}
				// etcd rounds down: 0 is less than a second, and -1 is gone.
				if left.TTL < 0 {
					return true, fmt.Sprintf("it is dead; its lease %x had ended already", lease)
				}
				return true, fmt.Sprintf("it is dead and left its lease %x with %d to %d s to live", lease, left.TTL, left.TTL+1)
			}}, nil
		},
	}
}
