package broken

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// waitsOnFirst is a queueing lock that waits until the key that was first in the
// queue when it came is gone, and then holds.
//
// Plausible: the first one holds the lock, so it is the one to wait for. All who
// came while it held are let in together.
//
// Found by exclusion and by ownership when two wait.
func waitsOnFirst() Specimen {
	return Specimen{Breaks: []string{exclusion, ownership}, Twin: "queue-lock", Subject: workloads.Subject{
		Name:    "waits-on-first",
		Summary: "a queueing lock whose waiters wait for the first key instead of the one before",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &impatientQueue{newQueueLock(s, prefix)}
		},
	}}
}

type impatientQueue struct{ queueLock }

func (l *impatientQueue) Acquire(ctx context.Context) (workloads.Grant, error) {
	return l.enter(ctx, locking, func(own claim) error {
		reply, err := own.client.Get(ctx, l.prefix+locking, clientv3.WithFirstCreate()...)
		if err != nil {
			return fmt.Errorf("find the first key: %w", err)
		}
		if len(reply.Kvs) == 0 || reply.Kvs[0].CreateRevision >= own.revision {
			return nil
		}
		// The bug: there may be others between that one and the own.
		return awaitDelete(ctx, own.client, string(reply.Kvs[0].Key), reply.Header.Revision)
	})
}
