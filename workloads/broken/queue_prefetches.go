package broken

import (
	"context"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// queuePrefetches is a queue that takes several items at a time, and keeps those
// that nobody has asked for yet in memory.
//
// Plausible: a round trip for each item is slow, and there is more where the
// first came from. But what was taken is in the memory of one client: when that
// dies, or never asks again, it is lost.
//
// Found by delivery.
func queuePrefetches() Specimen {
	return Specimen{Breaks: []string{delivery, linearizable}, Twin: "queue-checked", Subject: workloads.Subject{
		Name:    "queue-prefetches",
		Summary: "a queue that takes several items at a time and keeps the rest in memory",
		Origin:  history.Broken,
		Layout:  history.ItemKeys,
		NewQueue: func(s *workloads.Session, prefix string) workloads.Queue {
			return &greedyQueue{itemQueue: newItemQueue(s, prefix)}
		},
	}}
}

// prefetched is how many items are taken at a time.
const prefetched = 4

type greedyQueue struct {
	itemQueue
	kept []workloads.Item
}

func (q *greedyQueue) Dequeue(ctx context.Context) (workloads.Item, error) {
	for len(q.kept) == 0 {
		found, err := q.look(ctx, oldestFirst(), prefetched)
		if err != nil {
			return workloads.Item{}, err
		}
		for _, kv := range found {
			taken, err := q.take(ctx, kv)
			if err != nil && len(q.kept) == 0 {
				return workloads.Item{}, err
			}
			if err != nil {
				break
			}
			if taken {
				q.kept = append(q.kept, itemOf(kv)) // the bug
			}
		}
	}
	first := q.kept[0]
	q.kept = q.kept[1:]
	return first, nil
}
