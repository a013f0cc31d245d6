package broken

import (
	"context"
	"strconv"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// staleRead is a queueing lock that first asks any member whether it is the
// session's already, and takes what that one has, up to date or not.
//
// Plausible: a lock that is held already need not be asked for, serializable reads
// are the cheap ones, and the documentation says that they may be stale as if it
// were about caches. A member that lags behind has the key of the last hold still.
//
// Found by ownership and by exclusion when a member is cut off from the others, or
// just slow.
func staleRead() Specimen {
	return Specimen{Breaks: []string{ownership, exclusion}, Twin: "queue-lock", Subject: workloads.Subject{
		Name:    "stale-read",
		Summary: "a queueing lock that asks with a serializable read whether it is its own already",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &staleQueue{newQueueLock(s, prefix)}
		},
	}}
}

type staleQueue struct{ queueLock }

func (l *staleQueue) Acquire(ctx context.Context) (workloads.Grant, error) {
	if l.isMine(ctx) {
		return l.own.grant(), nil
	}
	return l.queueLock.Acquire(ctx)
}

func (l *staleQueue) TryAcquire(ctx context.Context) (workloads.Grant, error) {
	if l.isMine(ctx) {
		return l.own.grant(), nil
	}
	return l.queueLock.TryAcquire(ctx)
}

// isMine asks whether the oldest key is the session's.
func (l *staleQueue) isMine(ctx context.Context) bool {
	oldest := append(clientv3.WithFirstCreate(), clientv3.WithSerializable()) // the bug
	reply, err := l.session.Client.Get(ctx, l.prefix+locking, oldest...)
	mine := l.prefix + locking + strconv.FormatInt(int64(l.session.Session.Lease()), 16)
	if err != nil || len(reply.Kvs) == 0 || string(reply.Kvs[0].Key) != mine {
		return false
	}
	l.own = claim{l.session.Client, mine, reply.Kvs[0].CreateRevision}
	return true
}
