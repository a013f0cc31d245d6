package recipes

import (
	"context"
	"errors"

	recipe "go.etcd.io/etcd/client/v3/experimental/recipes"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// DoubleBarrier is recipe.DoubleBarrier. Who waits or is in has a key on its
// lease below the prefix and "/waiters/", named by a time in nanoseconds; the
// last to come puts the prefix and "/ready". Its calls take no context: they end
// when they will, or when the client is closed.
//
// It lets in who is alone: an Enter whose watch is cancelled, as by a
// compaction, returns as if all had come; and one whose lease ended while it
// waited does not look at its own key. After a compaction Leave waits on a
// watch that is refused at once, again and again, without a pause. See
// CheckedDoubleBarrier.
type DoubleBarrier struct{ barrier *recipe.DoubleBarrier }

var _ workloads.DoubleBarrier = (*DoubleBarrier)(nil)

// NewDoubleBarrier returns etcd's double barrier on prefix for a number of
// clients.
func NewDoubleBarrier(s *workloads.Session, prefix string, permits int) *DoubleBarrier {
	return &DoubleBarrier{recipe.NewDoubleBarrier(s.Session, prefix, permits)}
}

// Enter waits until enough clients have come. One too many is refused, and has
// taken its key back.
func (b *DoubleBarrier) Enter(context.Context) error {
	err := b.barrier.Enter()
	if errors.Is(err, recipe.ErrTooManyClients) {
		return workloads.WithoutEffect(err)
	}
	return err
}

// Leave waits until all have left.
func (b *DoubleBarrier) Leave(context.Context) error { return b.barrier.Leave() }
