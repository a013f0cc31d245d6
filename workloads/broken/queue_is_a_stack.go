package broken

import (
	"context"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// queueIsAStack is a queue that gives out the newest item first.
//
// Plausible: WithLastCreate is one letter group away from WithFirstCreate, and
// with one item in the queue they are the same.
//
// Found by linearizable when two items are in the queue.
func queueIsAStack() Specimen {
	return Specimen{Breaks: []string{linearizable}, Twin: "queue-checked", Subject: workloads.Subject{
		Name:     "queue-is-a-stack",
		Summary:  "a queue that gives out the newest item first",
		Origin:   history.Broken,
		Layout:   history.ItemKeys,
		NewQueue: func(s *workloads.Session, prefix string) workloads.Queue { return &stack{newItemQueue(s, prefix)} },
	}}
}

type stack struct{ itemQueue }

func (q *stack) Dequeue(ctx context.Context) (workloads.Item, error) {
	for {
		newest := clientv3.WithSort(clientv3.SortByCreateRevision, clientv3.SortDescend) // the bug
		found, err := q.look(ctx, newest, 1)
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
