package broken

import (
	"context"
	"errors"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// wakesOnAnyEvent is a queueing lock that watches its whole prefix and holds as
// soon as something happens there.
//
// Plausible: what happens in a queue is that somebody leaves. Or joins.
//
// Found by exclusion and by ownership when a third client comes.
func wakesOnAnyEvent() Specimen {
	return Specimen{Breaks: []string{exclusion, ownership}, Twin: "queue-lock", Subject: workloads.Subject{
		Name:    "wakes-on-any-event",
		Summary: "a queueing lock whose waiters take any event for their turn",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &nervousQueue{newQueueLock(s, prefix)}
		},
	}}
}

type nervousQueue struct{ queueLock }

func (l *nervousQueue) Acquire(ctx context.Context) (workloads.Grant, error) {
	return l.enter(ctx, locking, func(own claim) error {
		err := own.first(ctx, l.prefix+locking)
		if !errors.Is(err, workloads.ErrTaken) {
			return err
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		for reply := range own.client.Watch(ctx, l.prefix+locking, clientv3.WithPrefix(), clientv3.WithRev(own.revision+1)) {
			if err := reply.Err(); err != nil {
				return fmt.Errorf("watch %s: %w", l.prefix, err)
			}
			if len(reply.Events) > 0 {
				return nil // the bug: whatever it was
			}
		}
		return fmt.Errorf("watch %s: %w", l.prefix, context.Cause(ctx))
	})
}
