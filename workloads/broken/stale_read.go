package broken

import (
	"context"
	"errors"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// staleRead is a queueing lock that asks any member for older keys, and for its
// own, and takes what that has, up to date or not.
//
// Plausible: serializable reads are the cheap ones, and the documentation says that
// they may be stale as if it were about caches. A member that lags behind does not
// have the older key yet.
//
// Found by ownership and by exclusion when a member is cut off from the others, or
// just slow.
func staleRead() Specimen {
	return Specimen{Breaks: []string{ownership, exclusion}, Twin: "queue-lock", Subject: workloads.Subject{
		Name:    "stale-read",
		Summary: "a queueing lock that looks for older keys and its own with serializable reads",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &staleQueue{newQueueLock(s, prefix)}
		},
	}}
}

type staleQueue struct{ queueLock }

func (l *staleQueue) Acquire(ctx context.Context) (workloads.Grant, error) {
	return l.enter(ctx, func(own claim) error { return own.wait(ctx, l.prefix+locking, clientv3.WithSerializable()) }) // the bug
}

func (l *staleQueue) TryAcquire(ctx context.Context) (workloads.Grant, error) {
	grant, err := l.enter(ctx, func(own claim) error { return own.first(ctx, l.prefix+locking, clientv3.WithSerializable()) }) // the bug
	if errors.Is(err, workloads.ErrTaken) && workloads.Certain(err) {
		return workloads.Grant{}, workloads.ErrTaken
	}
	return grant, err
}

// enter is queue.enter with a final check that is no better than the rest.
func (l *staleQueue) enter(ctx context.Context, turn func(own claim) error) (workloads.Grant, error) {
	own, err := stake(ctx, l.session, l.prefix+locking)
	if err != nil {
		return workloads.Grant{}, err
	}
	err = turn(own)
	if err == nil {
		err = own.confirm(ctx, clientv3.WithSerializable()) // the bug
	}
	if err != nil {
		return workloads.Grant{}, own.abandon(ctx, err)
	}
	l.own = own
	return own.grant(), nil
}
