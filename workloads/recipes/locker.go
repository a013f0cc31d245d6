package recipes

import (
	"context"
	"runtime"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// Locker is what concurrency.NewLocker returns: etcd's mutex as a sync.Locker.
// Its calls wait with the client's context, whatever they are given here, and
// panic with the error where the mutex returns one.
type Locker struct {
	locker sync.Locker
	// key is the same object as locker. A sync.Locker does not tell what it
	// owns, but the type behind it embeds a Mutex, and with it the methods
	// that do. It is nil should a version of etcd not do so.
	key mutexKey
}

var (
	_ workloads.Lock  = (*Locker)(nil)
	_ workloads.Guard = (*Locker)(nil)
)

// NewLocker returns etcd's locker on prefix.
func NewLocker(s *workloads.Session, prefix string) *Locker {
	locker := concurrency.NewLocker(s.Session, prefix)
	key, _ := locker.(mutexKey)
	return &Locker{locker, key}
}

// Acquire waits until the lock is the caller's or the client is closed.
func (l *Locker) Acquire(context.Context) (workloads.Grant, error) {
	if err := recovered(l.locker.Lock); err != nil {
		return workloads.Grant{}, err
	}
	if l.key == nil {
		return workloads.Grant{}, nil
	}
	return grantOfMutex(l.key), nil
}

// Release gives the lock up.
func (l *Locker) Release(context.Context) error { return recovered(l.locker.Unlock) }

// IsOwner compares true only while the caller's key exists.
func (l *Locker) IsOwner() clientv3.Cmp {
	if l.key == nil {
		return never
	}
	return l.key.IsOwner()
}

// recovered makes the call and returns the error with which it panicked. A
// panic with anything else, or by the runtime, is no answer of a locker but a
// defect: it goes on.
func recovered(call func()) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case runtime.Error:
			panic(p)
		case error:
			err = p
		default:
			panic(p)
		}
	}()
	call()
	return nil
}
