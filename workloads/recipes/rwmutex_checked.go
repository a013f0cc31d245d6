package recipes

import (
	"context"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// CheckedRWMutex is RWMutex without etcd#16221: a lock call succeeds only if a
// read after the wait finds its key. See check for why that is enough and what
// it leaves open. A refused call leaves nothing behind: that the key is gone is
// why it was refused.
type CheckedRWMutex struct {
	*RWMutex
	client *clientv3.Client
}

var (
	_ workloads.RWLock = (*CheckedRWMutex)(nil)
	_ workloads.Guard  = (*CheckedRWMutex)(nil)
)

// NewCheckedRWMutex returns the corrected read-write lock on prefix.
func NewCheckedRWMutex(s *workloads.Session, prefix string) *CheckedRWMutex {
	return &CheckedRWMutex{NewRWMutex(s, prefix), s.Client}
}

// AcquireRead waits until no older writer is left. The wait ignores ctx, the
// check does not.
func (m *CheckedRWMutex) AcquireRead(ctx context.Context) (workloads.Grant, error) {
	return m.checked(ctx, m.RWMutex.AcquireRead)
}

// Acquire waits until nobody older is left. The wait ignores ctx, the check
// does not.
func (m *CheckedRWMutex) Acquire(ctx context.Context) (workloads.Grant, error) {
	return m.checked(ctx, m.RWMutex.Acquire)
}

func (m *CheckedRWMutex) checked(ctx context.Context, acquire func(context.Context) (workloads.Grant, error)) (workloads.Grant, error) {
	grant, err := acquire(ctx)
	if err != nil {
		return workloads.Grant{}, err
	}
	if err := check(ctx, m.client, grant, m.remove); err != nil {
		m.grant = workloads.Grant{}
		return workloads.Grant{}, err
	}
	return grant, nil
}

// remove takes the own key out of the queue. The recipe's Unlock would do so
// without a context, and could hang where the check just failed.
func (m *CheckedRWMutex) remove(ctx context.Context) error {
	_, err := m.client.Txn(ctx).If(owns(m.grant)).Then(clientv3.OpDelete(m.grant.Key)).Commit()
	return err
}
