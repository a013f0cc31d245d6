package recipes

import (
	"context"

	recipe "go.etcd.io/etcd/client/v3/experimental/recipes"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// PriorityQueue is recipe.PriorityQueue. Its items are keys below the prefix,
// "/" and five digits of priority, in sequence. It also puts a key for each
// priority outside of the prefix, with "__" before it. Its calls take no
// context: they end when they will, or when the client is closed.
//
// A Dequeue whose watch is cancelled, as by a compaction, panics (etcd#17198);
// and one that waited takes the first item that came, though a better one may
// have come since. See CheckedPriorityQueue.
type PriorityQueue struct{ queue *recipe.PriorityQueue }

var _ workloads.Queue = (*PriorityQueue)(nil)

// NewPriorityQueue returns etcd's priority queue on prefix.
func NewPriorityQueue(s *workloads.Session, prefix string) *PriorityQueue {
	return &PriorityQueue{recipe.NewPriorityQueue(s.Client, prefix)}
}

// Enqueue adds an item.
func (q *PriorityQueue) Enqueue(_ context.Context, item workloads.Item) error {
	return q.queue.Enqueue(item.Value, item.Priority)
}

// Dequeue waits for an item and takes it.
func (q *PriorityQueue) Dequeue(context.Context) (workloads.Item, error) {
	value, err := q.queue.Dequeue()
	return workloads.Item{Value: value}, err
}
