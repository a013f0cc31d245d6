package recipes

import (
	"context"
	"errors"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// errClosed refuses a Block of a barrier that is closed.
var errClosed = errors.New("the barrier is closed already")

// CheckedBarrier is a barrier without the defect of etcd's: who waits looks
// again when a watch has told something, or was cancelled, and passes only if a
// read shows that the key is gone. Its calls take a context.
type CheckedBarrier struct {
	client *clientv3.Client
	key    string
}

var _ workloads.Barrier = (*CheckedBarrier)(nil)

// NewCheckedBarrier returns the corrected barrier on prefix.
func NewCheckedBarrier(s *workloads.Session, prefix string) *CheckedBarrier {
	return &CheckedBarrier{s.Client, prefix + "/held"}
}

// Block closes the barrier.
func (b *CheckedBarrier) Block(ctx context.Context) error {
	reply, err := b.client.Txn(ctx).If(clientv3.Compare(clientv3.Version(b.key), "=", 0)).Then(clientv3.OpPut(b.key, "")).Commit()
	if err != nil {
		return fmt.Errorf("close the barrier: %w", err)
	}
	if !reply.Succeeded {
		return workloads.WithoutEffect(errClosed)
	}
	return nil
}

// Unblock opens the barrier.
func (b *CheckedBarrier) Unblock(ctx context.Context) error {
	if _, err := b.client.Delete(ctx, b.key); err != nil {
		return fmt.Errorf("open the barrier: %w", err)
	}
	return nil
}

// Pass waits until the barrier is open. It changes nothing, whatever it returns.
func (b *CheckedBarrier) Pass(ctx context.Context) error {
	for {
		found, err := b.client.Get(ctx, b.key)
		if err != nil {
			return workloads.WithoutEffect(fmt.Errorf("look at the barrier: %w", err))
		}
		if len(found.Kvs) == 0 {
			return nil
		}
		if err := await(ctx, b.client, nil, b.key, found.Header.Revision, clientv3.WithPrefix()); err != nil {
			return workloads.WithoutEffect(err)
		}
	}
}
