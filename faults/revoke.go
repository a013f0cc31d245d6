package faults

import (
	"context"
	"fmt"
	"math/rand/v2"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// revokeLease revokes the lease of a client's session behind its back; of a program
// that has not told its lease yet, the one that its key is on. Proved by etcd no
// longer knowing the lease.
func revokeLease() Kind {
	return Kind{
		Name: "revoke-lease", Summary: "revoke the lease of a client's session behind its back",
		OnClient: true, Instant: true,
		inject: func(ctx context.Context, w *World, choice *rand.Rand, target string) (*effect, error) {
			_, client, lease := victim(w, choice, target)
			if lease == 0 && w.LeaseOf != nil {
				lease = w.LeaseOf(client)
			}
			if client == "" || lease == 0 {
				return nil, errNobody
			}
			if _, err := w.Admin.Revoke(ctx, clientv3.LeaseID(lease)); err != nil {
				return nil, fmt.Errorf("revoke lease %x of %s: %w", lease, client, err)
			}
			return &effect{target: client, prove: func(ctx context.Context) (bool, string) {
				left, err := w.Admin.TimeToLive(ctx, clientv3.LeaseID(lease))
				if err != nil {
					return false, fmt.Sprintf("asking for lease %x failed: %v", lease, err)
				}
				return left.TTL < 0, fmt.Sprintf("lease %x has %d s to live (-1: gone)", lease, left.TTL)
			}}, nil
		},
	}
}
