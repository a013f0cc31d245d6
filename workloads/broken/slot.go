package broken

import (
	"context"
	"errors"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// slot is a lock that is one key, prefix + "/lock": who creates it holds the
// lock, whoever deletes it frees it. It is the Redis way (SET NX), and many
// write it on etcd too. There is no queue: when the key goes, all waiters try.
type slot struct {
	client *clientv3.Client
	key    string
	// value is what the key says.
	value string
	// revision is the create revision of the key while the lock is held here.
	revision int64
}

func newSlot(s *workloads.Session, prefix string) slot {
	return slot{client: s.Client, key: prefix + "/lock"}
}

// try creates the key on lease, which may be NoLease. If the key exists it
// returns workloads.ErrTaken and the revision at which it was seen.
func (l *slot) try(ctx context.Context, lease clientv3.LeaseID) (workloads.Grant, int64, error) {
	reply, err := l.client.Txn(ctx).
		If(clientv3.Compare(clientv3.CreateRevision(l.key), "=", 0)).
		Then(clientv3.OpPut(l.key, l.value, clientv3.WithLease(lease))).
		Commit()
	if err != nil {
		return workloads.Grant{}, 0, fmt.Errorf("create %s: %w", l.key, err)
	}
	if !reply.Succeeded {
		return workloads.Grant{}, reply.Header.Revision, workloads.ErrTaken
	}
	l.revision = reply.Header.Revision
	return workloads.Grant{Key: l.key, Token: l.revision}, 0, nil
}

// acquire takes the lock on lease, waiting as often as it is taken.
func (l *slot) acquire(ctx context.Context, lease clientv3.LeaseID) (workloads.Grant, error) {
	return l.acquireBy(ctx, func(ctx context.Context) (workloads.Grant, int64, error) { return l.try(ctx, lease) })
}

// acquireBy calls try until it does not return workloads.ErrTaken, waiting each
// time for the key that it saw to go.
func (l *slot) acquireBy(ctx context.Context, try func(context.Context) (workloads.Grant, int64, error)) (workloads.Grant, error) {
	for {
		grant, seen, err := try(ctx)
		if !errors.Is(err, workloads.ErrTaken) {
			return grant, err
		}
		if err := l.wait(ctx, seen); err != nil {
			return workloads.Grant{}, err
		}
	}
}

// wait returns nil when the key that was seen at revision is deleted. A wait
// that fails changed nothing.
func (l *slot) wait(ctx context.Context, revision int64) error {
	return workloads.WithoutEffect(awaitDelete(ctx, l.client, l.key, revision))
}

// release deletes the key, if it is still the one created here.
func (l *slot) release(ctx context.Context) error {
	own := claim{l.client, l.key, l.revision}
	return own.withdraw(ctx)
}

// slotLock is a lock of one key on the session's lease, and is right: the twin
// of the subjects that are built on it and get one thing wrong.
type slotLock struct {
	session *workloads.Session
	slot    slot
}

var _ workloads.TryLock = (*slotLock)(nil)

func newSlotLock(s *workloads.Session, prefix string) slotLock {
	return slotLock{session: s, slot: newSlot(s, prefix)}
}

// Acquire waits until it can create the key.
func (l *slotLock) Acquire(ctx context.Context) (workloads.Grant, error) {
	return l.slot.acquire(ctx, l.session.Session.Lease())
}

// TryAcquire creates the key, or returns workloads.ErrTaken.
func (l *slotLock) TryAcquire(ctx context.Context) (workloads.Grant, error) {
	grant, _, err := l.slot.try(ctx, l.session.Session.Lease())
	return grant, err
}

// Release deletes the key.
func (l *slotLock) Release(ctx context.Context) error { return l.slot.release(ctx) }
