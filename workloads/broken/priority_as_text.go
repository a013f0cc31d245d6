package broken

import (
	"context"
	"fmt"
	"strconv"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// priorityAsText is a priority queue whose keys begin with the priority as one
// writes it, so that 10 comes before 9.
//
// Plausible: etcd sorts keys, and with priorities below ten that is all one needs.
//
// Found by linearizable.
func priorityAsText() Specimen {
	return Specimen{Breaks: []string{linearizable}, Twin: "priority-queue-checked", Subject: workloads.Subject{
		Name:    "priority-as-text",
		Summary: "a priority queue that compares priorities as text",
		Origin:  history.Broken,
		Layout:  history.ItemKeys,
		NewPriorityQueue: func(s *workloads.Session, prefix string) workloads.Queue {
			return &textQueue{itemQueue: newItemQueue(s, prefix), session: s}
		},
	}}
}

type textQueue struct {
	itemQueue
	session *workloads.Session
}

func (q *textQueue) Enqueue(ctx context.Context, item workloads.Item) error {
	directory := strconv.Itoa(int(item.Priority)) // the bug: not of the same length
	key := fmt.Sprintf("%s%s/%x-%d", q.prefix, directory, int64(q.session.Session.Lease()), q.session.Next())
	if _, err := q.client.Put(ctx, key, item.Value); err != nil {
		return fmt.Errorf("put the item: %w", err)
	}
	return nil
}

func (q *textQueue) Dequeue(ctx context.Context) (workloads.Item, error) {
	for {
		found, err := q.look(ctx, clientv3.WithSort(clientv3.SortByKey, clientv3.SortAscend), 1)
		if err != nil {
			return workloads.Item{}, err
		}
		taken, err := q.take(ctx, found[0])
		if err != nil {
			return workloads.Item{}, err
		}
		if taken {
			return itemOf(found[0]), nil
		}
	}
}
