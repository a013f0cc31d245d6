package recipes

import (
	"context"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// lookAgain is the pause after a watch that ended without an answer.
const lookAgain = 100 * time.Millisecond

// await returns when a watch of key with some options has shown an event since
// a revision, or when that cannot be told any more: the watch was cancelled, as
// by a compaction, or over was closed, which may be nil. The caller then looks
// again: only what a read shows is true. If ctx has ended it returns an error.
func await(ctx context.Context, client *clientv3.Client, over <-chan struct{}, key string, revision int64, options ...clientv3.OpOption) error {
	watching, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	replies := client.Watch(watching, key, append(options, clientv3.WithRev(revision+1))...)
	for {
		select {
		case reply, open := <-replies:
			if len(reply.Events) > 0 {
				return nil
			}
			if open && reply.Err() == nil {
				continue
			}
		case <-over:
		}
		break
	}
	pause(ctx, lookAgain)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("wait for a change of %s: %w", key, err)
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
