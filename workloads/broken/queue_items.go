package broken

import (
	"context"
	"fmt"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/recipes"
)

// itemQueue is a queue of one key an item, and what the queues that take items in
// a way of their own share. What is put is put as the corrected queue does.
type itemQueue struct {
	*recipes.CheckedQueue
	client *clientv3.Client
	prefix string
}

func newItemQueue(s *workloads.Session, prefix string) itemQueue {
	return itemQueue{recipes.NewCheckedQueue(s, prefix), s.Client, prefix + "/"}
}

// oldestFirst is the order of a queue.
func oldestFirst() clientv3.OpOption {
	return clientv3.WithSort(clientv3.SortByCreateRevision, clientv3.SortAscend)
}

// look waits until there are items, and returns so many of them, the first in
// order first. It changes nothing.
func (q *itemQueue) look(ctx context.Context, order clientv3.OpOption, limit int64) ([]*mvccpb.KeyValue, error) {
	for {
		found, err := q.client.Get(ctx, q.prefix, clientv3.WithPrefix(), order, clientv3.WithLimit(limit))
		if err != nil {
			return nil, workloads.WithoutEffect(fmt.Errorf("look for an item: %w", err))
		}
		if len(found.Kvs) > 0 {
			return found.Kvs, nil
		}
		if err := awaitChange(ctx, q.client, q.prefix, found.Header.Revision); err != nil {
			return nil, err
		}
	}
}

// take deletes an item that was seen, and returns whether it was there still.
func (q *itemQueue) take(ctx context.Context, kv *mvccpb.KeyValue) (bool, error) {
	reply, err := q.client.Txn(ctx).
		If(clientv3.Compare(clientv3.ModRevision(string(kv.Key)), "=", kv.ModRevision)).
		Then(clientv3.OpDelete(string(kv.Key))).
		Commit()
	if err != nil {
		return false, fmt.Errorf("take the item: %w", err)
	}
	return reply.Succeeded, nil
}

func itemOf(kv *mvccpb.KeyValue) workloads.Item {
	return workloads.Item{Value: string(kv.Value), Key: string(kv.Key), Revision: kv.CreateRevision}
}
