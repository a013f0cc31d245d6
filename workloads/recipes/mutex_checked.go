package recipes

import (
	"context"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// CheckedMutex is a mutex that keeps what concurrency.Mutex promises; see line
// for what it does differently.
type CheckedMutex struct {
	line
}

var (
	_ workloads.TryLock = (*CheckedMutex)(nil)
	_ workloads.Guard   = (*CheckedMutex)(nil)
)

// NewCheckedMutex returns the corrected mutex on prefix.
func NewCheckedMutex(s *workloads.Session, prefix string) *CheckedMutex {
	return &CheckedMutex{line: line{session: s, prefix: prefix + "/"}}
}

// Acquire waits until the lock is the caller's.
func (m *CheckedMutex) Acquire(ctx context.Context) (workloads.Grant, error) {
	return m.own(ctx, "", "", own)
}

// TryAcquire returns workloads.ErrTaken if another holds the lock or waits for
// it. Its key was in the line for a moment, and is gone when it returns that.
func (m *CheckedMutex) TryAcquire(ctx context.Context) (workloads.Grant, error) {
	p, err := m.join(ctx, "", "")
	if err != nil {
		return workloads.Grant{}, err
	}
	turn, _, _, err := m.look(ctx, p, own)
	if err == nil && turn {
		m.held = p
		return p.grant(), nil
	}
	if err == nil {
		if err = m.leave(ctx, p); err == nil {
			return workloads.Grant{}, workloads.ErrTaken
		}
	}
	m.takeAway(ctx, p.key)
	return workloads.Grant{}, err
}

// Release gives the lock up. After an error it may be called again.
func (m *CheckedMutex) Release(ctx context.Context) error { return m.giveUp(ctx, errNotHeld) }
