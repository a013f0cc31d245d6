package broken

import (
	"context"
	"errors"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// The two sides of a read-write lock, as its keys have them after the prefix,
// and the only side of a lock.
const (
	reading = "/read/"
	writing = "/write/"
	locking = "/"
)

// queue is what the locks with one key a client share: a claim on one side, a
// wait, and the final check of the own key. Whom to wait for is theirs.
type queue struct {
	session *workloads.Session
	prefix  string
	own     claim
}

func (q *queue) enter(ctx context.Context, side string, wait func(own claim) error) (workloads.Grant, error) {
	own, err := stake(ctx, q.session, q.prefix+side)
	if err != nil {
		return workloads.Grant{}, err
	}
	err = wait(own)
	if err == nil {
		err = own.confirm(ctx)
	}
	if err != nil {
		return workloads.Grant{}, own.abandon(ctx, err)
	}
	q.own = own
	return own.grant(), nil
}

// Release gives up the claim.
func (q *queue) Release(ctx context.Context) error { return q.own.withdraw(ctx) }

// ReleaseRead gives up the claim.
func (q *queue) ReleaseRead(ctx context.Context) error { return q.own.withdraw(ctx) }

// IsOwner compares true only while the claim exists.
func (q *queue) IsOwner() clientv3.Cmp { return q.own.exists() }

// queueLock is a lock that is granted in the order of its clients' keys, and is
// right: the twin of the subjects that are built on it and get one thing wrong.
type queueLock struct{ queue }

var (
	_ workloads.TryLock = (*queueLock)(nil)
	_ workloads.Guard   = (*queueLock)(nil)
)

func newQueueLock(s *workloads.Session, prefix string) queueLock {
	return queueLock{queue{session: s, prefix: prefix}}
}

// Acquire waits until no older key is left.
func (l *queueLock) Acquire(ctx context.Context) (workloads.Grant, error) {
	return l.enter(ctx, locking, func(own claim) error { return own.wait(ctx, l.prefix+locking) })
}

// TryAcquire withdraws its claim again if there is an older one.
func (l *queueLock) TryAcquire(ctx context.Context) (workloads.Grant, error) {
	grant, err := l.enter(ctx, locking, func(own claim) error { return own.first(ctx, l.prefix+locking) })
	if errors.Is(err, workloads.ErrTaken) && workloads.Certain(err) {
		return workloads.Grant{}, workloads.ErrTaken
	}
	return grant, err
}

// first returns workloads.ErrTaken if a key that starts with prefix is older. The
// options are of the read.
func (c claim) first(ctx context.Context, prefix string, options ...clientv3.OpOption) error {
	oldest := append(clientv3.WithFirstCreate(), clientv3.WithMaxCreateRev(c.revision-1))
	reply, err := c.client.Get(ctx, prefix, append(oldest, options...)...)
	if err != nil {
		return fmt.Errorf("find an older key: %w", err)
	}
	if len(reply.Kvs) > 0 {
		return workloads.ErrTaken
	}
	return nil
}
