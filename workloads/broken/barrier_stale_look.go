package broken

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/recipes"
)

// barrierStaleLook is a barrier whose waiters ask any member whether it is closed.
//
// Plausible: barriers are passed far more often than they are closed, so that the
// cheap read is the right one. A member that lags has not heard of the closing.
//
// Found by passage when a member is cut off from the others, or just slow.
func barrierStaleLook() Specimen {
	return Specimen{Breaks: []string{passage, linearizable}, Twin: "barrier-checked", Subject: workloads.Subject{
		Name:    "barrier-stale-look",
		Summary: "a barrier that is looked at with serializable reads",
		Origin:  history.Broken,
		Layout:  history.BarrierKeys,
		NewBarrier: func(s *workloads.Session, prefix string) workloads.Barrier {
			return &staleBarrier{recipes.NewCheckedBarrier(s, prefix), s.Client, prefix + "/held"}
		},
	}}
}

type staleBarrier struct {
	*recipes.CheckedBarrier
	client *clientv3.Client
	key    string
}

func (b *staleBarrier) Pass(ctx context.Context) error {
	for {
		found, err := b.client.Get(ctx, b.key, clientv3.WithSerializable()) // the bug
		if err != nil {
			return workloads.WithoutEffect(fmt.Errorf("look at the barrier: %w", err))
		}
		if len(found.Kvs) == 0 {
			return nil
		}
		if err := awaitChange(ctx, b.client, b.key, found.Header.Revision); err != nil {
			return err
		}
	}
}
