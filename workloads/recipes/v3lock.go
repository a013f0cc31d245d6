package recipes

import (
	"context"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3lock/v3lockpb"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// V3Lock is etcd's lock service, which does for its clients what
// concurrency.Mutex does: Lock and Unlock of package v3lock, over the client's
// own connection. Its key is the prefix, "/" and the session's lease in
// hexadecimal.
//
// A call whose context ends returns at once. The server deletes the key of a
// call that was cancelled, with its own client, but learns of that only after
// the caller has been told: for a moment the key may still be there, or, if the
// request was on its way, come to be there; if the member dies meanwhile, nobody
// deletes it before the lease ends. And it deletes by name: a caller that asks
// again at once, with the same lease, can be told that it holds the lock and
// have its key deleted by the clean-up of the call before. So a session is not to
// be used again after a call that was cancelled; holdfast's clients close it.
type V3Lock struct {
	session *workloads.Session
	prefix  string
	grant   workloads.Grant
}

var (
	_ workloads.Lock  = (*V3Lock)(nil)
	_ workloads.Guard = (*V3Lock)(nil)
)

// NewV3Lock returns the lock service's lock named prefix.
func NewV3Lock(s *workloads.Session, prefix string) *V3Lock {
	return &V3Lock{session: s, prefix: prefix}
}

// Acquire waits until the lock is the caller's. The service tells the key and
// not its create revision, which is asked of etcd afterwards: the token is zero
// if there is no answer, or no key any more.
func (l *V3Lock) Acquire(ctx context.Context) (workloads.Grant, error) {
	l.grant = workloads.Grant{}
	service := v3lockpb.NewLockClient(l.session.Client.ActiveConnection())
	reply, err := service.Lock(ctx, &v3lockpb.LockRequest{Name: []byte(l.prefix), Lease: int64(l.session.Session.Lease())})
	if err != nil {
		return workloads.Grant{}, fromService(err)
	}
	l.grant.Key = string(reply.Key)
	if made, err := l.session.Client.Get(ctx, l.grant.Key, clientv3.WithKeysOnly()); err == nil && len(made.Kvs) == 1 {
		l.grant.Token = made.Kvs[0].CreateRevision
	}
	return l.grant, nil
}

// Release gives the lock up. Like etcd's, it deletes the key whoever made it.
func (l *V3Lock) Release(ctx context.Context) error {
	service := v3lockpb.NewLockClient(l.session.Client.ActiveConnection())
	_, err := service.Unlock(ctx, &v3lockpb.UnlockRequest{Key: []byte(l.grant.Key)})
	return fromService(err)
}

// IsOwner compares true only while the caller's key exists.
func (l *V3Lock) IsOwner() clientv3.Cmp {
	if l.grant.Token == 0 {
		return never
	}
	return owns(l.grant)
}
