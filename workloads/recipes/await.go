package recipes

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// await returns when anything has changed below prefix since revision, or when
// that cannot be told any more because the watch was cancelled, as by a
// compaction. The caller then looks again: only what a read shows is true. If
// ctx has ended, or the client was closed, it returns an error.
func await(ctx context.Context, client *clientv3.Client, prefix string, revision int64) error {
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	for reply := range client.Watch(watching, prefix, clientv3.WithPrefix(), clientv3.WithRev(revision+1)) {
		if len(reply.Events) > 0 || reply.Err() != nil {
			break
		}
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("wait for a change below %s: %w", prefix, err)
	}
	return nil
}
