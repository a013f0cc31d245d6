package recipes

import (
	"context"
	"sync/atomic"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// cancelling refuses the first watches that a client opens, as etcd does with
// one that begins at a revision that was compacted.
type cancelling struct {
	clientv3.Watcher
	left, opened atomic.Int64
	told         chan struct{}
	// revision is the one from which the last watch was to begin.
	revision atomic.Int64
}

// cancelWatches makes etcd refuse the next watches of a session.
func cancelWatches(s *workloads.Session, watches int64) *cancelling {
	c := &cancelling{Watcher: s.Client.Watcher, told: make(chan struct{}, 100)}
	c.left.Store(watches)
	s.Client.Watcher = c
	return c
}

func (c *cancelling) Watch(ctx context.Context, key string, options ...clientv3.OpOption) clientv3.WatchChan {
	op := clientv3.OpGet(key, options...)
	c.revision.Store(op.Rev())
	defer func() {
		c.opened.Add(1)
		select {
		case c.told <- struct{}{}:
		default:
		}
	}()
	if c.left.Add(-1) < 0 {
		return c.Watcher.Watch(ctx, key, options...)
	}
	refused := make(chan clientv3.WatchResponse, 1)
	refused <- clientv3.WatchResponse{Canceled: true, CompactRevision: 1}
	close(refused)
	return refused
}
