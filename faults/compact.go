package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// CompactKey is the key below the run's prefix to which compact writes.
const CompactKey = "compact"

// compactWrites is how many revisions compact puts between what clients have
// seen and the first one that is left. A client that waits resumes behind the
// revision of its last reply, which etcd would still grant after a compaction
// at that revision or at the next.
const compactWrites = 3

// compact drops all history of the store before its present revision, after a
// few writes of its own, so that a watch that resumes from anything a client has
// seen is refused. Proved by a read at an older revision being refused.
func compact() Kind {
	return Kind{
		Name: "compact", Summary: "compact the store's history past every revision that a client has seen",
		Instant: true,
		needs:   []need{needsCompact},
		inject: func(ctx context.Context, w *World, _ *rand.Rand, _ string) (*effect, error) {
			key, revision := w.Prefix+CompactKey, int64(0)
			for range compactWrites {
				reply, err := w.Admin.Put(ctx, key, "")
				if err != nil {
					return nil, fmt.Errorf("write to leave older revisions behind: %w", err)
				}
				revision = reply.Header.Revision
			}
			if _, err := w.Admin.Compact(ctx, revision); err != nil {
				return nil, fmt.Errorf("compact to revision %d: %w", revision, err)
			}
			return &effect{target: fmt.Sprintf("revision %d", revision), prove: func(ctx context.Context) (bool, string) {
				_, err := w.Admin.Get(ctx, key, clientv3.WithRev(revision-1))
				if errors.Is(err, rpctypes.ErrCompacted) {
					return true, fmt.Sprintf("a read at revision %d is refused as compacted", revision-1)
				}
				return false, fmt.Sprintf("a read at revision %d: %v", revision-1, err)
			}}, nil
		},
	}
}
