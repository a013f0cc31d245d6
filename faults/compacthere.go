package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// compactHere drops all history before the store's present revision, and writes
// nothing: a watch that resumes from that revision is granted, and has to show
// what was changed there. Proved by the read at the revision before being refused,
// and the one at this not.
func compactHere() Kind {
	return Kind{
		Name: "compact-here", Summary: "compact the store's history up to its present revision, so that a watch can still resume from there",
		Instant: true,
		needs:   []need{needsCompactHere},
		inject: func(ctx context.Context, w *World, _ *rand.Rand, _ string) (*effect, error) {
			key := w.Prefix + CompactKey
			reply, err := w.Admin.Get(ctx, key)
			if err != nil {
				return nil, fmt.Errorf("ask for the present revision: %w", err)
			}
			revision := reply.Header.Revision
			if _, err := w.Admin.Compact(ctx, revision); err != nil {
				return nil, fmt.Errorf("compact to revision %d: %w", revision, err)
			}
			return &effect{target: fmt.Sprintf("revision %d", revision), prove: func(ctx context.Context) (bool, string) {
				_, at := w.Admin.Get(ctx, key, clientv3.WithRev(revision))
				_, before := w.Admin.Get(ctx, key, clientv3.WithRev(revision-1))
				if at == nil && errors.Is(before, rpctypes.ErrCompacted) {
					return true, fmt.Sprintf("a read at revision %d is answered, and one at %d is refused as compacted", revision, revision-1)
				}
				return false, fmt.Sprintf("a read at revision %d: %v; at %d: %v", revision, at, revision-1, before)
			}}, nil
		},
	}
}
