// Package ownlock is an example of a lock of one's own that is put to the test
// by holdfast: one key, created with the session's lease if it is not there.
package ownlock

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// Lock is a mutual exclusion lock: whoever created its key holds it. Waiters
// are not served in any order.
type Lock struct {
	client *clientv3.Client
	lease  clientv3.LeaseID
	key    string
	token  int64
}

// Subject is the lock as holdfast knows it.
func Subject() workloads.Subject {
	return workloads.Subject{
		Name:    "ownlock",
		Summary: "one key, created with the session's lease if it is not there",
		Layout:  history.OldestKey, // there is but one key: it is the oldest
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &Lock{client: s.Client, lease: s.Session.Lease(), key: prefix + "/lock"}
		},
	}
}

// Acquire creates the key, waiting for its deletion as long as it is there.
func (l *Lock) Acquire(ctx context.Context) (workloads.Grant, error) {
	for {
		reply, err := l.client.Txn(ctx).
			If(clientv3.Compare(clientv3.CreateRevision(l.key), "=", 0)).
			Then(clientv3.OpPut(l.key, "", clientv3.WithLease(l.lease))).
			Commit()
		if err != nil {
			return workloads.Grant{}, fmt.Errorf("create the key: %w", err)
		}
		if reply.Succeeded {
			l.token = reply.Header.Revision
			return workloads.Grant{Key: l.key, Token: l.token}, nil
		}
		if err := l.awaitDeletion(ctx, reply.Header.Revision+1); err != nil {
			// It waits for somebody else's key and has none: nothing was done.
			return workloads.Grant{}, workloads.WithoutEffect(err)
		}
	}
}

func (l *Lock) awaitDeletion(ctx context.Context, revision int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for reply := range l.client.Watch(ctx, l.key, clientv3.WithRev(revision), clientv3.WithFilterPut()) {
		if len(reply.Events) > 0 || reply.CompactRevision > 0 {
			return nil // deleted, or it is time to look again
		}
	}
	return fmt.Errorf("wait for the key's deletion: %w", context.Cause(ctx))
}

// Release deletes the key, if it is still the one that Acquire created.
func (l *Lock) Release(ctx context.Context) error {
	_, err := l.client.Txn(ctx).
		If(clientv3.Compare(clientv3.CreateRevision(l.key), "=", l.token)).
		Then(clientv3.OpDelete(l.key)).
		Commit()
	return err
}
