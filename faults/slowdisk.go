package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster"
)

const (
	leastDelay = 100 * time.Millisecond
	mostDelay  = 500 * time.Millisecond
)

// slowDisk makes one member's disk slow: whenever the member waits for it, and
// whenever it writes much at once, it waits for 100 to 500 ms longer, each time
// drawn anew. Proved by calls that were kept waiting.
func slowDisk() Kind {
	return Kind{
		Name: "slow-disk", Summary: "make each wait of one member for its disk last 100 to 500 ms longer", Draws: true, SlowsDisk: true,
		needs: []need{needsSlowDisk, needsFsync, needsStatus},
		inject: func(_ context.Context, w *World, choice *rand.Rand, _ string) (*effect, error) {
			member, err := anyRunning(w.Cluster, choice)
			if err != nil {
				return nil, err
			}
			var mu sync.Mutex // calls come from several threads
			return slow(w, member, func() time.Duration {
				mu.Lock()
				defer mu.Unlock()
				return leastDelay + time.Duration(choice.Int64N(int64(mostDelay-leastDelay)))
			})
		},
	}
}

// stallDisk has one member wait for its disk until the fault is healed, as for a
// disk that hangs. Proved as slowDisk.
func stallDisk() Kind {
	return Kind{
		Name: "stall-disk", Summary: "have one member wait for its disk until the fault is healed", Draws: true, SlowsDisk: true,
		needs: []need{needsSlowDisk, needsFsync, needsStatus},
		inject: func(_ context.Context, w *World, choice *rand.Rand, _ string) (*effect, error) {
			member, err := anyRunning(w.Cluster, choice)
			if err != nil {
				return nil, err
			}
			return slow(w, member, forEver)
		},
	}
}

// stallLeaderDisk does the same to the member that leads: it goes on sending
// heartbeats and looking after leases, and commits nothing that it is to keep.
func stallLeaderDisk() Kind {
	return Kind{
		Name: "stall-leader-disk", Summary: "have the leader wait for its disk until the fault is healed", SlowsDisk: true,
		needs: []need{needsSlowDisk, needsFsync, needsStatus},
		inject: func(_ context.Context, w *World, _ *rand.Rand, _ string) (*effect, error) {
			leader, _ := leaderOf(w.Cluster)
			if leader == "" {
				return nil, errNobody
			}
			return slow(w, leader, forEver)
		},
	}
}

func forEver() time.Duration { return -1 }

func slow(w *World, member string, delay func() time.Duration) (*effect, error) {
	leader, _ := leaderOf(w.Cluster)
	disk, err := w.Cluster.(cluster.DiskSlower).SlowDisk(member, delay)
	if err != nil {
		return nil, err
	}
	target := member
	if member == leader {
		target += " (leader)"
	}
	return &effect{
		target: target,
		prove: leaderMoved(w, leader, func(context.Context) (bool, string) {
			calls, total := disk.Seen()
			return calls > 0, fmt.Sprintf("%d calls were kept waiting for the disk, for %v all in all", calls, total.Round(time.Millisecond))
		}),
		heal: func(context.Context) error { disk.Lift(); return nil },
	}, nil
}
