package broken

import (
	"context"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// queueRWLock is a read-write lock that is granted in the order of its clients'
// keys, and is right: the twin of the read-write locks that get one thing wrong.
type queueRWLock struct{ queue }

var (
	_ workloads.RWLock = (*queueRWLock)(nil)
	_ workloads.Guard  = (*queueRWLock)(nil)
)

func newQueueRWLock(s *workloads.Session, prefix string) queueRWLock {
	return queueRWLock{queue{session: s, prefix: prefix}}
}

// AcquireRead waits until no older writer is left.
func (l *queueRWLock) AcquireRead(ctx context.Context) (workloads.Grant, error) {
	return l.enter(ctx, reading, func(own claim) error { return own.wait(ctx, l.prefix+writing) })
}

// Acquire waits until nobody older is left.
func (l *queueRWLock) Acquire(ctx context.Context) (workloads.Grant, error) {
	return l.enter(ctx, writing, func(own claim) error { return own.wait(ctx, l.prefix+"/") })
}
