package recipes

import (
	"context"
	"reflect"

	clientv3 "go.etcd.io/etcd/client/v3"
	recipe "go.etcd.io/etcd/client/v3/experimental/recipes"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// RWMutex is recipe.RWMutex. Its keys are the prefix, "/read/" or "/write/" and
// a time in nanoseconds. Its calls take no context: they end when they will, or
// when the client is closed.
//
// It lies: a waiter whose lease ends while it waits is told in the end that it
// holds the lock, although its key is long gone and the next in line holds it
// too (etcd#16221). See CheckedRWMutex.
type RWMutex struct {
	mutex *recipe.RWMutex
	grant workloads.Grant
}

var (
	_ workloads.RWLock = (*RWMutex)(nil)
	_ workloads.Guard  = (*RWMutex)(nil)
)

// NewRWMutex returns etcd's read-write lock on prefix. One object serves for
// all rounds of a session: each lock call makes a new key and forgets the last,
// and after an error, which leaves a key behind, the client gives its session
// up and the key with it.
func NewRWMutex(s *workloads.Session, prefix string) *RWMutex {
	return &RWMutex{mutex: recipe.NewRWMutex(s.Session, prefix)}
}

// AcquireRead waits until no older writer is left.
func (m *RWMutex) AcquireRead(context.Context) (workloads.Grant, error) {
	return m.acquire(m.mutex.RLock)
}

// ReleaseRead gives the lock up.
func (m *RWMutex) ReleaseRead(context.Context) error { return m.mutex.RUnlock() }

// Acquire waits until nobody older is left.
func (m *RWMutex) Acquire(context.Context) (workloads.Grant, error) {
	return m.acquire(m.mutex.Lock)
}

// Release gives the lock up.
func (m *RWMutex) Release(context.Context) error { return m.mutex.Unlock() }

// IsOwner compares true only while the caller's key exists.
func (m *RWMutex) IsOwner() clientv3.Cmp { return owns(m.grant) }

func (m *RWMutex) acquire(lock func() error) (workloads.Grant, error) {
	m.grant = workloads.Grant{}
	if err := lock(); err != nil {
		return workloads.Grant{}, err
	}
	m.grant = grantOfRWMutex(m.mutex)
	return m.grant, nil
}

// grantOfRWMutex returns the key of an RWMutex and its create revision, or
// nothing if this version of etcd keeps them elsewhere. The recipe shows them
// to nobody, and asking etcd for them instead would be a read more than the
// recipe makes: it could hide a defect.
func grantOfRWMutex(m *recipe.RWMutex) workloads.Grant {
	key := reflect.ValueOf(m).Elem().FieldByName("myKey")
	if key.Kind() != reflect.Pointer || key.IsNil() || key.Elem().Kind() != reflect.Struct {
		return workloads.Grant{}
	}
	name, revision := key.Elem().FieldByName("key"), key.Elem().FieldByName("rev")
	if name.Kind() != reflect.String || revision.Kind() != reflect.Int64 {
		return workloads.Grant{}
	}
	return workloads.Grant{Key: name.String(), Token: revision.Int()}
}
