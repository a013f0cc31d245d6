package broken

import (
	"context"
	"fmt"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// queueDeliversTwice is a queue that reads the first item and then deletes it.
//
// Plausible: peek and pop, and deleting what is gone is no error. But everybody
// who has read the item before it was deleted has it.
//
// Found by delivery when two wait for one item.
func queueDeliversTwice() Specimen {
	return Specimen{Breaks: []string{delivery}, Twin: "queue-checked", Subject: workloads.Subject{
		Name:    "queue-delivers-twice",
		Summary: "a queue that reads an item and then deletes it, whoever else has read it",
		Origin:  history.Broken,
		Layout:  history.ItemKeys,
		NewQueue: func(s *workloads.Session, prefix string) workloads.Queue {
			return &peekingQueue{newItemQueue(s, prefix)}
		},
	}}
}

type peekingQueue struct{ itemQueue }

func (q *peekingQueue) Dequeue(ctx context.Context) (workloads.Item, error) {
	found, err := q.look(ctx, oldestFirst(), 1)
	if err != nil {
		return workloads.Item{}, err
	}
	if _, err := q.client.Delete(ctx, string(found[0].Key)); err != nil { // the bug: without a condition
		return workloads.Item{}, fmt.Errorf("delete the item: %w", err)
	}
	return itemOf(found[0]), nil
}
