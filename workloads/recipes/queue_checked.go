package recipes

import (
	"context"
	"fmt"
	"strconv"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// CheckedQueue is a queue without the defects of etcd's: it looks at its own
// items only, looks again when a watch was cancelled, takes the first item that
// a read shows, and its calls take a context. Its items are keys below the
// prefix and "/", named after the client's lease and a counter.
//
// The first item is the one whose key was created first. The transaction that
// deletes it succeeds once: whoever makes it has the item.
type CheckedQueue struct {
	items
}

var _ workloads.Queue = (*CheckedQueue)(nil)

// NewCheckedQueue returns the corrected queue on prefix.
func NewCheckedQueue(s *workloads.Session, prefix string) *CheckedQueue {
	return &CheckedQueue{items{client: s.Client, prefix: prefix + "/", owner: int64(s.Session.Lease()),
		first: clientv3.WithSort(clientv3.SortByCreateRevision, clientv3.SortAscend)}}
}

// Enqueue adds an item.
func (q *CheckedQueue) Enqueue(ctx context.Context, item workloads.Item) error {
	return q.put(ctx, "", item.Value)
}

// CheckedPriorityQueue is CheckedQueue with priorities: the first item is the
// one with the lowest, and of those any. Its keys begin with five digits of
// priority, and it puts none elsewhere.
type CheckedPriorityQueue struct {
	items
}

var _ workloads.Queue = (*CheckedPriorityQueue)(nil)

// NewCheckedPriorityQueue returns the corrected priority queue on prefix.
func NewCheckedPriorityQueue(s *workloads.Session, prefix string) *CheckedPriorityQueue {
	return &CheckedPriorityQueue{items{client: s.Client, prefix: prefix + "/", owner: int64(s.Session.Lease()),
		first: clientv3.WithSort(clientv3.SortByKey, clientv3.SortAscend)}}
}

// Enqueue adds an item.
func (q *CheckedPriorityQueue) Enqueue(ctx context.Context, item workloads.Item) error {
	return q.put(ctx, fmt.Sprintf("%05d/", item.Priority), item.Value)
}

// items are keys below a prefix that are put once and taken once.
type items struct {
	client *clientv3.Client
	prefix string
	owner  int64
	count  int64
	// first is the order of which the first item is taken.
	first clientv3.OpOption
}

func (q *items) put(ctx context.Context, directory, value string) error {
	for {
		q.count++
		key := q.prefix + directory + strconv.FormatInt(q.owner, 16) + "-" + strconv.FormatInt(q.count, 10)
		reply, err := q.client.Txn(ctx).If(clientv3.Compare(clientv3.Version(key), "=", 0)).Then(clientv3.OpPut(key, value)).Commit()
		if err != nil {
			return fmt.Errorf("put the item: %w", err)
		}
		if reply.Succeeded { // else another queue of the same session has the name
			return nil
		}
	}
}

// Dequeue waits for an item and takes it. That it found none until ctx ended is
// certain: it was not about to take any.
func (q *items) Dequeue(ctx context.Context) (workloads.Item, error) {
	for {
		found, err := q.client.Get(ctx, q.prefix, clientv3.WithPrefix(), q.first, clientv3.WithLimit(1))
		if err != nil { // nothing was asked to change
			return workloads.Item{}, workloads.WithoutEffect(fmt.Errorf("look for an item: %w", err))
		}
		if len(found.Kvs) == 0 {
			if err := await(ctx, q.client, nil, q.prefix, found.Header.Revision, clientv3.WithPrefix()); err != nil {
				return workloads.Item{}, workloads.WithoutEffect(err)
			}
			continue
		}
		kv := found.Kvs[0]
		key := string(kv.Key)
		reply, err := q.client.Txn(ctx).If(clientv3.Compare(clientv3.ModRevision(key), "=", kv.ModRevision)).Then(clientv3.OpDelete(key)).Commit()
		if err != nil {
			return workloads.Item{}, fmt.Errorf("take the item: %w", err)
		}
		if reply.Succeeded {
			return workloads.Item{Value: string(kv.Value), Key: key, Revision: kv.CreateRevision}, nil
		}
	}
}
