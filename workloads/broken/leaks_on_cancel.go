package broken

import (
	"context"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// leaksOnCancel is a queueing lock that returns at once when its context ends,
// and leaves its key in the queue.
//
// Plausible: returning the context's error is what one does when a context ends.
// The key keeps its place until the session is closed, and all behind it wait for
// a client that went away.
//
// Found by leftovers when a waiter gives up.
func leaksOnCancel() Specimen {
	return Specimen{Breaks: []string{leftovers}, Twin: "queue-lock", Subject: workloads.Subject{
		Name:    "leaks-on-cancel",
		Summary: "a queueing lock whose waiters leave their key when they give up",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &leakyQueue{newQueueLock(s, prefix)}
		},
	}}
}

type leakyQueue struct{ queueLock }

func (l *leakyQueue) Acquire(ctx context.Context) (workloads.Grant, error) {
	own, err := stake(ctx, l.session, l.prefix+locking)
	if err != nil {
		return workloads.Grant{}, err
	}
	if err := own.wait(ctx, l.prefix+locking); err != nil {
		return workloads.Grant{}, err // the bug: own.abandon(ctx, err) is missing
	}
	if err := own.confirm(ctx); err != nil {
		return workloads.Grant{}, own.abandon(ctx, err)
	}
	l.own = own
	return own.grant(), nil
}
