package broken

import (
	"context"
	"errors"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// noLease is a one-key lock whose key is on no lease.
//
// Plausible: every release deletes the key, every test passes, and leases are
// one more thing to keep alive. Only the dead do not release.
//
// Found by progress when a holder crashes, or cannot get its release through:
// nobody ever holds the lock again.
func noLease() Specimen {
	return Specimen{Breaks: []string{progress}, Twin: "slot-lock", Subject: workloads.Subject{
		Name:    "no-lease",
		Summary: "a lock that a dead holder keeps for ever",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &eternalLock{newSlot(s, prefix)}
		},
	}}
}

type eternalLock struct{ slot slot }

var _ workloads.TryLock = (*eternalLock)(nil)

func (l *eternalLock) Acquire(ctx context.Context) (workloads.Grant, error) {
	for {
		grant, seen, err := l.slot.try(ctx, clientv3.NoLease) // the bug
		if !errors.Is(err, workloads.ErrTaken) {
			return grant, err
		}
		if err := l.slot.wait(ctx, seen); err != nil {
			return workloads.Grant{}, err
		}
	}
}

func (l *eternalLock) TryAcquire(ctx context.Context) (workloads.Grant, error) {
	grant, _, err := l.slot.try(ctx, clientv3.NoLease) // the bug
	return grant, err
}

func (l *eternalLock) Release(ctx context.Context) error { return l.slot.release(ctx) }
