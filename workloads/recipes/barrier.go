package recipes

import (
	"context"
	"errors"

	recipe "go.etcd.io/etcd/client/v3/experimental/recipes"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// Barrier is recipe.Barrier. Its key, on no lease, is the prefix and "/held".
// Its calls take no context: they end when they will, or when the client is
// closed.
//
// It lets pass while it is closed: a Wait whose watch is cancelled, as by a
// compaction, returns as if the key had gone. See CheckedBarrier.
type Barrier struct{ barrier *recipe.Barrier }

var _ workloads.Barrier = (*Barrier)(nil)

// NewBarrier returns etcd's barrier on prefix.
func NewBarrier(s *workloads.Session, prefix string) *Barrier {
	return &Barrier{recipe.NewBarrier(s.Client, prefix+"/held")}
}

// Block closes the barrier.
func (b *Barrier) Block(context.Context) error {
	err := b.barrier.Hold()
	if errors.Is(err, recipe.ErrKeyExists) {
		return workloads.WithoutEffect(err)
	}
	return err
}

// Unblock opens the barrier.
func (b *Barrier) Unblock(context.Context) error { return b.barrier.Release() }

// Pass waits until the barrier is open.
func (b *Barrier) Pass(context.Context) error { return b.barrier.Wait() }
