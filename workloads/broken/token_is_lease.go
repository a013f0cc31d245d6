package broken

import (
	"context"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// tokenIsLease is a one-key lock whose fencing token is the number of the lease
// that it is held on.
//
// Plausible: it is a number, it is different for every session, and every key has
// it. But leases are not numbered in order, and a session that holds the lock
// twice has one number for both.
//
// Found by fencing as soon as two clients take turns.
func tokenIsLease() Specimen {
	return Specimen{Breaks: []string{fencing}, Twin: "slot-lock", Subject: workloads.Subject{
		Name:    "token-is-lease",
		Summary: "a lock whose fencing token is its lease",
		Origin:  history.Broken,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &leaseTokenLock{newSlotLock(s, prefix)}
		},
	}}
}

type leaseTokenLock struct{ slotLock }

func (l *leaseTokenLock) Acquire(ctx context.Context) (workloads.Grant, error) {
	_, err := l.slotLock.Acquire(ctx)
	return l.granted(err)
}

func (l *leaseTokenLock) TryAcquire(ctx context.Context) (workloads.Grant, error) {
	_, err := l.slotLock.TryAcquire(ctx)
	return l.granted(err)
}

func (l *leaseTokenLock) granted(err error) (workloads.Grant, error) {
	if err != nil {
		return workloads.Grant{}, err
	}
	return workloads.Grant{Token: int64(l.session.Session.Lease())}, nil // the bug
}
