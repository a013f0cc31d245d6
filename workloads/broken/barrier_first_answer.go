package broken

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/recipes"
)

// barrierFirstAnswer is a barrier whose waiters take the first answer of their
// watch for the opening.
//
// Plausible: the watch is for deletions only, so that what comes is one. But an
// answer may have no event: this one says that the watch is there, others that it
// was cancelled or how far it has come. It does not look again.
//
// Found by passage when somebody meets a closed barrier.
func barrierFirstAnswer() Specimen {
	return Specimen{Breaks: []string{passage, linearizable}, Twin: "barrier-checked", Subject: workloads.Subject{
		Name:    "barrier-first-answer",
		Summary: "a barrier whose waiters take any answer of a watch for its opening and do not look again",
		Origin:  history.Broken,
		Layout:  history.BarrierKeys,
		NewBarrier: func(s *workloads.Session, prefix string) workloads.Barrier {
			return &hastyBarrier{recipes.NewCheckedBarrier(s, prefix), s.Client, prefix + "/held"}
		},
	}}
}

type hastyBarrier struct {
	*recipes.CheckedBarrier
	client *clientv3.Client
	key    string
}

func (b *hastyBarrier) Pass(ctx context.Context) error {
	found, err := b.client.Get(ctx, b.key)
	if err != nil {
		return workloads.WithoutEffect(fmt.Errorf("look at the barrier: %w", err))
	}
	if len(found.Kvs) == 0 {
		return nil
	}
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	<-b.client.Watch(watching, b.key, clientv3.WithRev(found.Header.Revision+1), clientv3.WithFilterPut(), clientv3.WithCreatedNotify()) // the bug
	if err := ctx.Err(); err != nil {
		return workloads.WithoutEffect(fmt.Errorf("wait for the barrier: %w", err))
	}
	return nil
}
