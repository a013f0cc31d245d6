package broken

import (
	"context"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// noLeaseCheck is a queueing mutex that waits for its predecessors and then
// says that it holds the lock, without a look at its own key.
//
// Plausible: "I am behind A; A is gone; so it is my turn" is how the algorithm
// is explained, and true unless the lease, and the key with it, ended during
// the wait. etcd's own rwlock and election make the same mistake (etcd#16221,
// etcd#19597).
//
// Found by ownership, whenever a waiter loses its lease: cut a waiting client
// off, or pause it, for longer than its TTL while the lock is held. If a third
// client has taken its place meanwhile, exclusion finds it too.
func noLeaseCheck() Specimen {
	return Specimen{Breaks: []string{ownership}, Twin: "queue-lock", Subject: workloads.Subject{
		Name:    "no-lease-check",
		Summary: "a mutex that does not check its own key after waiting",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &uncheckedMutex{session: s, prefix: prefix + "/"}
		},
	}}
}

type uncheckedMutex struct {
	session *workloads.Session
	prefix  string
	own     claim
}

func (m *uncheckedMutex) Acquire(ctx context.Context) (workloads.Grant, error) {
	own, err := stake(ctx, m.session, m.prefix)
	if err != nil {
		return workloads.Grant{}, err
	}
	if err := own.wait(ctx, m.prefix); err != nil {
		return workloads.Grant{}, own.abandon(ctx, err)
	}
	m.own = own // the bug: own.confirm(ctx) is missing
	return own.grant(), nil
}

func (m *uncheckedMutex) Release(ctx context.Context) error { return m.own.withdraw(ctx) }
