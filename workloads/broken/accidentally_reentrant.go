package broken

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// accidentallyReentrant is a one-key lock that succeeds if the key is there
// already and has the caller's name, the host and process, in it.
//
// Plausible: it makes a retry after a lost answer succeed, and lets a holder ask
// again. But two clients of one process have one name, and one of them is let in
// beside the other.
//
// Found by exclusion at once.
func accidentallyReentrant() Specimen {
	return Specimen{Breaks: []string{exclusion, ownership}, Twin: "slot-lock", Subject: workloads.Subject{
		Name:    "accidentally-reentrant",
		Summary: "a lock that lets in whoever has the name of its holder",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &reentrantLock{newSlotLock(s, prefix)}
		},
	}}
}

type reentrantLock struct{ slotLock }

func (l *reentrantLock) Acquire(ctx context.Context) (workloads.Grant, error) {
	return l.slot.acquireBy(ctx, l.try)
}

func (l *reentrantLock) TryAcquire(ctx context.Context) (workloads.Grant, error) {
	grant, _, err := l.try(ctx)
	return grant, err
}

func (l *reentrantLock) try(ctx context.Context) (workloads.Grant, int64, error) {
	reply, err := l.slot.client.Txn(ctx).
		If(clientv3.Compare(clientv3.CreateRevision(l.slot.key), "=", 0)).
		Then(clientv3.OpPut(l.slot.key, processName(), clientv3.WithLease(l.session.Session.Lease()))).
		Else(clientv3.OpGet(l.slot.key)).
		Commit()
	if err != nil {
		return workloads.Grant{}, 0, fmt.Errorf("create %s: %w", l.slot.key, err)
	}
	l.slot.revision = reply.Header.Revision
	if !reply.Succeeded {
		holder := reply.Responses[0].GetResponseRange().Kvs[0]
		if string(holder.Value) != processName() { // the bug: it may be another client's
			return workloads.Grant{}, reply.Header.Revision, workloads.ErrTaken
		}
		l.slot.revision = holder.CreateRevision
	}
	return workloads.Grant{Key: l.slot.key, Token: l.slot.revision}, 0, nil
}
