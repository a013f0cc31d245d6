package broken

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// shortTTL is a one-key lock on a lease of its own, of one second, which it
// never renews and replaces when etcd no longer knows it.
//
// Plausible: "the work takes milliseconds", the lease is made where the lock is
// made, and reusing it saves a round trip. But the second runs from the grant,
// not from the acquire: any hold that is under way when it is over loses its
// key, and longer work always does.
//
// Found by exclusion about once a second under contention. The client's session
// is alive all the while, so this is nobody's fault but the subject's.
func shortTTL() Specimen {
	return Specimen{Breaks: []string{exclusion}, Twin: "own-lease-lock", Subject: workloads.Subject{
		Name:    "short-ttl",
		Summary: "a lock on a one-second lease that is never renewed",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &briefLock{slot: newSlot(s, prefix), ttl: briefTTL}
		},
	}}
}

// briefTTL is in seconds. etcd raises it to one and a half election timeouts.
const briefTTL = 1

type briefLock struct {
	slot  slot
	ttl   int64
	lease clientv3.LeaseID
}

var _ workloads.TryLock = (*briefLock)(nil)

func (l *briefLock) Acquire(ctx context.Context) (workloads.Grant, error) {
	return l.slot.acquireBy(ctx, l.try)
}

func (l *briefLock) TryAcquire(ctx context.Context) (workloads.Grant, error) {
	grant, _, err := l.try(ctx)
	return grant, err
}

// try takes the slot on the lock's own lease, a new one if that is over.
func (l *briefLock) try(ctx context.Context) (workloads.Grant, int64, error) {
	for {
		if l.lease == clientv3.NoLease {
			reply, err := l.slot.client.Grant(ctx, l.ttl) // the bug: nobody keeps it alive
			if err != nil {
				return workloads.Grant{}, 0, fmt.Errorf("grant a lease: %w", err)
			}
			l.lease = reply.ID
		}
		grant, seen, err := l.slot.try(ctx, l.lease)
		if !errors.Is(err, rpctypes.ErrLeaseNotFound) {
			return grant, seen, err
		}
		l.lease = clientv3.NoLease
	}
}

func (l *briefLock) Release(ctx context.Context) error { return l.slot.release(ctx) }
