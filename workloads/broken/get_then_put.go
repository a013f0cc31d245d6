package broken

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// getThenPut is a one-key lock that reads its key and, if it is not there, puts
// it: two requests where one transaction is needed.
//
// Plausible: it is the first thing that everybody writes, and it works until two
// clients read before either has put.
//
// Found by exclusion and by ownership when a release wakes several waiters.
func getThenPut() Specimen {
	return Specimen{Breaks: []string{exclusion, ownership}, Twin: "slot-lock", Subject: workloads.Subject{
		Name:    "get-then-put",
		Summary: "a lock that looks whether its key is there, and puts it if not",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &hopefulLock{newSlotLock(s, prefix)}
		},
	}}
}

type hopefulLock struct{ slotLock }

func (l *hopefulLock) Acquire(ctx context.Context) (workloads.Grant, error) {
	return l.slot.acquireBy(ctx, l.try)
}

func (l *hopefulLock) TryAcquire(ctx context.Context) (workloads.Grant, error) {
	grant, _, err := l.try(ctx)
	return grant, err
}

func (l *hopefulLock) try(ctx context.Context) (workloads.Grant, int64, error) {
	seen, err := l.slot.client.Get(ctx, l.slot.key)
	if err != nil {
		return workloads.Grant{}, 0, workloads.WithoutEffect(fmt.Errorf("look at the lock: %w", err))
	}
	if len(seen.Kvs) > 0 {
		return workloads.Grant{}, seen.Header.Revision, workloads.ErrTaken
	}
	// The bug: what was seen above need not be so any more.
	put, err := l.slot.client.Put(ctx, l.slot.key, "", clientv3.WithLease(l.session.Session.Lease()))
	if err != nil {
		return workloads.Grant{}, 0, fmt.Errorf("put %s: %w", l.slot.key, err)
	}
	l.slot.revision = put.Header.Revision
	return workloads.Grant{Key: l.slot.key, Token: l.slot.revision}, 0, nil
}
