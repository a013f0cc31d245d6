package broken

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// lateWatch is a queueing lock that finds the key before its own and then watches
// it, from the moment at which the watch begins.
//
// Plausible: it is what a watch without options does. If the key goes between the
// read and the watch, its deletion is over when the watch begins, and the waiter
// waits for ever.
//
// Found by progress when holds are short.
func lateWatch() Specimen {
	return Specimen{Breaks: []string{progress}, Twin: "queue-lock", Subject: workloads.Subject{
		Name:    "late-watch",
		Summary: "a queueing lock that watches from now on, not from what it has read",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &lateQueue{newQueueLock(s, prefix)}
		},
	}}
}

type lateQueue struct{ queueLock }

func (l *lateQueue) Acquire(ctx context.Context) (workloads.Grant, error) {
	return l.enter(ctx, locking, func(own claim) error {
		youngest := append(clientv3.WithLastCreate(), clientv3.WithMaxCreateRev(own.revision-1))
		for {
			reply, err := own.client.Get(ctx, l.prefix+locking, youngest...)
			if err != nil {
				return fmt.Errorf("find an older key: %w", err)
			}
			if len(reply.Kvs) == 0 {
				return nil
			}
			const now = -1                                                                      // awaitDelete watches from the revision after it, and zero is none
			if err := awaitDelete(ctx, own.client, string(reply.Kvs[0].Key), now); err != nil { // the bug
				return err
			}
		}
	})
}
