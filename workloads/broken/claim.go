package broken

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// errLost says that the caller's key is gone: its lease has ended.
var errLost = errors.New("the key that stands for the lock is gone")

// patience is how long a clean-up may take when the context is over already.
const patience = 500 * time.Millisecond

// claim is a key on the session's lease that stands for a wish to own, and,
// once no older claim is in its way, for the ownership.
type claim struct {
	client   *clientv3.Client
	key      string
	revision int64
}

// stake puts the session's claim below prefix, or finds it there.
func stake(ctx context.Context, s *workloads.Session, prefix string) (claim, error) {
	return stakeValue(ctx, s, prefix, "")
}

// stakeValue puts the session's claim below prefix with a value, or finds it
// there, with whatever value it has.
func stakeValue(ctx context.Context, s *workloads.Session, prefix, value string) (claim, error) {
	lease := s.Session.Lease()
	key := prefix + strconv.FormatInt(int64(lease), 16)
	reply, err := s.Client.Txn(ctx).
		If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).
		Then(clientv3.OpPut(key, value, clientv3.WithLease(lease))).
		Else(clientv3.OpGet(key)).
		Commit()
	if err != nil {
		return claim{}, fmt.Errorf("put the own key: %w", err)
	}
	c := claim{s.Client, key, reply.Header.Revision}
	if !reply.Succeeded {
		c.revision = reply.Responses[0].GetResponseRange().Kvs[0].CreateRevision
	}
	return c, nil
}

func (c claim) grant() workloads.Grant {
	return workloads.Grant{Key: c.key, Token: c.revision}
}

// exists compares true only while the claim does.
func (c claim) exists() clientv3.Cmp {
	return clientv3.Compare(clientv3.CreateRevision(c.key), "=", c.revision)
}

// wait returns nil when every older key that starts with prefix is gone. The
// options are of the reads that look for one.
func (c claim) wait(ctx context.Context, prefix string, options ...clientv3.OpOption) error {
	youngest := append(clientv3.WithLastCreate(), clientv3.WithMaxCreateRev(c.revision-1))
	youngest = append(youngest, options...)
	for {
		reply, err := c.client.Get(ctx, prefix, youngest...)
		if err != nil {
			return fmt.Errorf("find an older key: %w", err)
		}
		if len(reply.Kvs) == 0 {
			return nil
		}
		if err := awaitDelete(ctx, c.client, string(reply.Kvs[0].Key), reply.Header.Revision); err != nil {
			return err
		}
	}
}

// confirm returns nil if the claim still exists. The options are of the read.
func (c claim) confirm(ctx context.Context, options ...clientv3.OpOption) error {
	reply, err := c.client.Get(ctx, c.key, options...)
	if err != nil {
		return fmt.Errorf("check the own key: %w", err)
	}
	if len(reply.Kvs) == 0 || reply.Kvs[0].CreateRevision != c.revision {
		return workloads.WithoutEffect(errLost)
	}
	return nil
}

// withdraw deletes the claim, and nobody else's.
func (c claim) withdraw(ctx context.Context) error {
	reply, err := c.client.Txn(ctx).
		If(c.exists()).
		Then(clientv3.OpDelete(c.key)).
		Commit()
	if err != nil {
		return fmt.Errorf("delete the own key: %w", err)
	}
	if !reply.Succeeded {
		return workloads.WithoutEffect(errLost)
	}
	return nil
}

// abandon withdraws the claim after a failed wait. Once that is acknowledged
// the failure certainly had no effect: nothing else of the claim is on its way.
// Until then nothing is certain, whatever the failure was.
func (c claim) abandon(ctx context.Context, failure error) error {
	ctx, cancel := cleanup(ctx)
	defer cancel()
	if err := c.withdraw(ctx); err != nil && !workloads.Certain(err) {
		return fmt.Errorf("%v: %w", failure, err)
	}
	return workloads.WithoutEffect(failure)
}

// cleanup returns ctx, or if that is over a context with a little patience.
func cleanup(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx.Err() == nil {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(context.WithoutCancel(ctx), patience)
}

// awaitDelete returns nil when key, which existed at revision, is deleted.
func awaitDelete(ctx context.Context, client *clientv3.Client, key string, revision int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for reply := range client.Watch(ctx, key, clientv3.WithRev(revision+1), clientv3.WithFilterPut()) {
		if err := reply.Err(); err != nil {
			return fmt.Errorf("watch %s: %w", key, err)
		}
		if len(reply.Events) > 0 {
			return nil
		}
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("wait until %s is deleted: %w", key, err)
	}
	return fmt.Errorf("watch %s: the watch ended", key)
}
