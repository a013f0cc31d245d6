package broken

import (
	"context"
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
		Then(clientv3.OpPut(l.key, "", clientv3.WithLease(lease))).
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
