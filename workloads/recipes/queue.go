package recipes

import (
	"context"

	recipe "go.etcd.io/etcd/client/v3/experimental/recipes"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// Queue is recipe.Queue. Its items are keys below the prefix and "/", named by
// a time in nanoseconds. Its calls take no context: they end when they will, or
// when the client is closed.
//
// It reads and watches the prefix without a "/": the queue "job" gives out the
// items of the queue "jobs" too. And a Dequeue whose watch is cancelled, as by a
// compaction, panics (etcd#17198). See CheckedQueue.
type Queue struct{ queue *recipe.Queue }

var _ workloads.Queue = (*Queue)(nil)

// NewQueue returns etcd's queue on prefix.
func NewQueue(s *workloads.Session, prefix string) *Queue {
	return &Queue{recipe.NewQueue(s.Client, prefix)}
}

// Enqueue adds an item.
func (q *Queue) Enqueue(_ context.Context, item workloads.Item) error {
	return q.queue.Enqueue(item.Value)
}

// Dequeue waits for an item and takes it.
func (q *Queue) Dequeue(context.Context) (workloads.Item, error) {
	value, err := q.queue.Dequeue()
	return workloads.Item{Value: value}, err
}
