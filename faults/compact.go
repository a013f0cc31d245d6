package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// compact drops all history of the store before its present revision, so that
// a watch that resumes from an older one is refused. Proved by a read at an
// older revision being refused.
func compact() Kind {
	return Kind{
		Name: "compact", Summary: "compact the store's history up to the present revision",
		Instant: true,
		inject: func(ctx context.Context, w *World, _ *rand.Rand, _ string) (*effect, error) {
			reply, err := w.Admin.Get(ctx, "compact")
			if err != nil {
				return nil, fmt.Errorf("read the present revision: %w", err)
			}
			revision := reply.Header.Revision
			if _, err := w.Admin.Compact(ctx, revision); err != nil {
				return nil, fmt.Errorf("compact to revision %d: %w", revision, err)
			}
			return &effect{target: fmt.Sprintf("revision %d", revision), prove: func(ctx context.Context) (bool, string) {
				_, err := w.Admin.Get(ctx, "compact", clientv3.WithRev(revision-1))
				if errors.Is(err, rpctypes.ErrCompacted) {
					return true, fmt.Sprintf("a read at revision %d is refused as compacted", revision-1)
				}
				return false, fmt.Sprintf("a read at revision %d: %v", revision-1, err)
			}}, nil
		},
	}
}
