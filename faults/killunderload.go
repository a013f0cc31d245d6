package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster"
)

// LoadKey begins the keys below the run's prefix to which killUnderLoad writes. No
// property is judged of them.
const LoadKey = "load/"

const (
	loadWriters = 8
	loadSize    = 64 << 10
	// loadBefore is how many writes are acknowledged before the member is killed,
	// and loadPatience how long it may take.
	loadBefore   = 24
	loadPatience = 5 * time.Second
)

// killUnderLoad kills one member without a goodbye (SIGKILL) in the middle of a
// burst of large writes that it syncs to its disk, and later starts it again on
// what it had written. Proved by writes having been acknowledged and others in
// flight at the kill, and by the member no longer running.
func killUnderLoad() Kind {
	return Kind{
		Name: "kill-under-load", Summary: "kill one member (SIGKILL) in the middle of a burst of large writes, and restart it on its data", Draws: true, Downs: 1,
		needs: []need{needsStop, needsCrash, needsStatus, needsFsync},
		inject: func(ctx context.Context, w *World, choice *rand.Rand, _ string) (*effect, error) {
			member, leader, target, err := onlyOne(w.Cluster, choice)
			if err != nil {
				return nil, err
			}
			restart := func(ctx context.Context) error { return w.Cluster.(cluster.Crasher).Restart(ctx, member) }
			b := newBurst(ctx, w)
			defer b.end()
			b.await(loadBefore)
			acknowledged, flying := b.acknowledged.Load(), b.flying.Load()
			if err := w.Cluster.(cluster.Crasher).Crash(ctx, member); err != nil {
				return &effect{target: target, heal: restart}, fmt.Errorf("kill %s: %w", member, err)
			}
			return &effect{target: target, heal: restart, prove: leaderMoved(w, leader, func(context.Context) (bool, string) {
				down, evidence := isDown(w.Cluster, member)
				return down && acknowledged > 0 && flying > 0, fmt.Sprintf("%s; of writes of %d KiB %d were acknowledged and %d in flight when it was killed",
					evidence, loadSize>>10, acknowledged, flying)
			})}, nil
		},
	}
}

// burst is writers that write as fast as they can.
type burst struct {
	acknowledged, flying atomic.Int64
	enough               chan struct{} // one item for each write that was acknowledged
	ctx                  context.Context
	stop                 context.CancelFunc
	writers              sync.WaitGroup
}

func newBurst(ctx context.Context, w *World) *burst {
	b := &burst{enough: make(chan struct{}, 1)}
	b.ctx, b.stop = context.WithTimeout(ctx, loadPatience)
	value := strings.Repeat("x", loadSize)
	for i := range loadWriters {
		b.writers.Go(func() {
			for b.ctx.Err() == nil {
				b.flying.Add(1)
				_, err := w.Admin.Put(b.ctx, fmt.Sprintf("%s%s%d", w.Prefix, LoadKey, i), value)
				b.flying.Add(-1)
				if err == nil {
					b.acknowledged.Add(1)
				}
				select {
				case b.enough <- struct{}{}:
				default:
				}
			}
		})
	}
	return b
}

// await returns when so many writes were acknowledged, or the time is over.
func (b *burst) await(n int64) {
	for b.acknowledged.Load() < n {
		select {
		case <-b.enough:
		case <-b.ctx.Done():
			return
		}
	}
}

// end gives up what is in flight.
func (b *burst) end() {
	b.stop()
	b.writers.Wait()
}
