package sim

import (
	"context"
	"strconv"
	"sync/atomic"

	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/metadata"
)

// watcher is etcd's, of which each watch has a stream of its own. Watches that
// share one are resumed in the order of a map when it breaks, which is another
// in each run (client/v3/watch.go, newWatchClient). So RequestProgress reaches no
// watch.
type watcher struct {
	clientv3.Watcher
	watches atomic.Int64
}

// watchNumber is the metadata by which etcd's watcher tells streams apart.
const watchNumber = "holdfast-watch"

func (w *watcher) Watch(ctx context.Context, key string, opts ...clientv3.OpOption) clientv3.WatchChan {
	number := strconv.FormatInt(w.watches.Add(1), 10)
	return w.Watcher.Watch(metadata.AppendToOutgoingContext(ctx, watchNumber, number), key, opts...)
}
