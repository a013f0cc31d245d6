package broken

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// deletesByPrefix is a queueing lock whose waiters, when they give up, delete what
// is below the lock's prefix.
//
// Plausible: the own key is there, and "with prefix" was in the line that was
// copied. The keys of the holder and of the other waiters are there too.
//
// Found by ownership when a waiter gives up, and by exclusion when another client
// comes then.
func deletesByPrefix() Specimen {
	return Specimen{Breaks: []string{exclusion, ownership}, Twin: "queue-lock", Subject: workloads.Subject{
		Name:    "deletes-by-prefix",
		Summary: "a queueing lock whose waiters that give up delete the whole queue",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &sweepingQueue{newQueueLock(s, prefix)}
		},
	}}
}

type sweepingQueue struct{ queueLock }

func (l *sweepingQueue) Acquire(ctx context.Context) (workloads.Grant, error) {
	own, err := stake(ctx, l.session, l.prefix+locking)
	if err != nil {
		return workloads.Grant{}, err
	}
	if err := own.wait(ctx, l.prefix+locking); err != nil {
		ctx, cancel := cleanup(ctx)
		defer cancel()
		if _, failure := own.client.Delete(ctx, l.prefix+locking, clientv3.WithPrefix()); failure != nil { // the bug
			return workloads.Grant{}, fmt.Errorf("clean up after %v: %w", err, failure)
		}
		return workloads.Grant{}, workloads.WithoutEffect(err)
	}
	if err := own.confirm(ctx); err != nil {
		return workloads.Grant{}, own.abandon(ctx, err)
	}
	l.own = own
	return own.grant(), nil
}
