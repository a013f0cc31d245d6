package broken

import (
	"context"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// tryLeavesKey is a queueing lock whose try puts its key, finds an older one, and
// says that the lock is taken.
//
// Plausible: it is the lock without the wait. The key that it leaves is in
// everybody's way until the session ends.
//
// Found by leftovers as soon as a try is refused.
func tryLeavesKey() Specimen {
	return Specimen{Breaks: []string{leftovers}, Twin: "queue-lock", Subject: workloads.Subject{
		Name:    "try-leaves-key",
		Summary: "a queueing lock whose refused try leaves its key in the queue",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &litteringQueue{newQueueLock(s, prefix)}
		},
	}}
}

type litteringQueue struct{ queueLock }

func (l *litteringQueue) TryAcquire(ctx context.Context) (workloads.Grant, error) {
	own, err := stake(ctx, l.session, l.prefix+locking)
	if err != nil {
		return workloads.Grant{}, err
	}
	if err := own.first(ctx, l.prefix+locking); err != nil {
		return workloads.Grant{}, err // the bug: own.withdraw(ctx) is missing
	}
	if err := own.confirm(ctx); err != nil {
		return workloads.Grant{}, own.abandon(ctx, err)
	}
	l.own = own
	return own.grant(), nil
}
