package recipes

import (
	"context"
	"errors"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// Mutex is concurrency.Mutex. Its key is the prefix, "/" and the session's
// lease in hexadecimal.
type Mutex struct {
	mutex *concurrency.Mutex
}

var (
	_ workloads.TryLock = (*Mutex)(nil)
	_ workloads.Guard   = (*Mutex)(nil)
)

// NewMutex returns etcd's mutex on prefix.
func NewMutex(s *workloads.Session, prefix string) *Mutex {
	return &Mutex{concurrency.NewMutex(s.Session, prefix)}
}

// Acquire waits until the lock is the caller's. Beware that etcd's Lock cleans
// up after a wait that failed with the context of the client, not with ctx: a
// client that is cut off from etcd can outstay its deadline.
func (m *Mutex) Acquire(ctx context.Context) (workloads.Grant, error) {
	if err := m.mutex.Lock(ctx); err != nil {
		return workloads.Grant{}, err
	}
	return grantOfMutex(m.mutex), nil
}

// TryAcquire returns workloads.ErrTaken if another session holds the lock.
func (m *Mutex) TryAcquire(ctx context.Context) (workloads.Grant, error) {
	err := m.mutex.TryLock(ctx)
	if errors.Is(err, concurrency.ErrLocked) {
		return workloads.Grant{}, workloads.ErrTaken
	}
	if err != nil {
		return workloads.Grant{}, err
	}
	return grantOfMutex(m.mutex), nil
}

// Release gives the lock up.
func (m *Mutex) Release(ctx context.Context) error { return m.mutex.Unlock(ctx) }

// IsOwner compares true only while the caller's key exists.
func (m *Mutex) IsOwner() clientv3.Cmp { return m.mutex.IsOwner() }

// mutexKey is the part of concurrency.Mutex that tells what it owns.
type mutexKey interface {
	Key() string
	IsOwner() clientv3.Cmp
}

// grantOfMutex returns a mutex's key and its create revision. The mutex keeps
// the revision to itself, but IsOwner compares with it.
func grantOfMutex(m mutexKey) workloads.Grant {
	owner := m.IsOwner()
	return workloads.Grant{Key: m.Key(), Token: owner.GetCompare().GetCreateRevision()}
}
