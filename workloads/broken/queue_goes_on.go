package broken

import (
	"context"
	"fmt"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// queueGoesOn is a queue whose dequeue works in the background, and goes on there
// when nobody waits for it any more.
//
// Plausible: a goroutine, a channel, and a select on the context: the caller
// returns at once. The goroutine takes the next item, and drops it.
//
// Found by delivery when a dequeue gives up.
func queueGoesOn() Specimen {
	return Specimen{Breaks: []string{delivery}, Twin: "queue-checked", Subject: workloads.Subject{
		Name:    "queue-goes-on",
		Summary: "a queue whose dequeue goes on in the background after it has given up",
		Origin:  history.Broken,
		Layout:  history.ItemKeys,
		NewQueue: func(s *workloads.Session, prefix string) workloads.Queue {
			return &backgroundQueue{newItemQueue(s, prefix)}
		},
	}}
}

type backgroundQueue struct{ itemQueue }

func (q *backgroundQueue) Dequeue(ctx context.Context) (workloads.Item, error) {
	type outcome struct {
		item workloads.Item
		err  error
	}
	done := make(chan outcome, 1)
	go func() {
		item, err := q.CheckedQueue.Dequeue(q.client.Ctx()) // the bug: not ctx
		done <- outcome{item, err}
	}()
	select {
	case o := <-done:
		return o.item, o.err
	case <-ctx.Done():
		return workloads.Item{}, workloads.WithoutEffect(fmt.Errorf("wait for an item: %w", ctx.Err()))
	}
}
