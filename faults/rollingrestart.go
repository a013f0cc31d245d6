package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster"
)

// rollingRestart asks each member in turn to end and starts it again, and goes on
// to the next when it serves, as an upgrade does. It lasts until the last member
// serves, however long it was to last; but soon after its time is over the members
// that are left are killed instead of asked. Proved by every member having been down
// and serving again.
func rollingRestart() Kind {
	return Kind{
		Name: "rolling-restart", Summary: "restart every member in turn, each when the one before it serves", Draws: true,
		needs: []need{needsStop, needsCrash, needsStatus, needsThree},
		inject: func(_ context.Context, w *World, choice *rand.Rand, _ string) (*effect, error) {
			if err := allRun(w.Cluster); err != nil {
				return nil, err
			}
			order := shuffled(w.Cluster.Members(), choice)
			leader, _ := leaderOf(w.Cluster)
			r := &rolling{world: w, done: make(chan struct{})}
			gentle, hurry := context.WithCancel(context.Background())
			go func() {
				defer close(r.done)
				r.roll(gentle, order)
			}()
			return &effect{
				target: strings.Join(order, ", "),
				prove:  leaderMoved(w, leader, func(ctx context.Context) (bool, string) { return r.seen(ctx, order, hurry) }),
				heal: func(ctx context.Context) error {
					hurry()
					select {
					case <-r.done:
						return r.err
					case <-ctx.Done():
						return fmt.Errorf("the restarts are not over: %w", context.Cause(ctx))
					}
				},
			}, nil
		},
	}
}

// rolling is a rolling restart under way.
type rolling struct {
	world *World
	done  chan struct{}
	// Set before done is closed.
	byThemselves int
	longest      time.Duration
	err          error

	restarted atomic.Int64
}

// roll restarts the members in an order. When ctx ends it goes on without asking.
func (r *rolling) roll(ctx context.Context, order []string) {
	var errs []error
	for _, member := range order {
		_, byItself, err := stopMember(ctx, r.world, member)
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), healPatience)
		began := time.Now()
		err = errors.Join(err, r.world.Cluster.(cluster.Crasher).Restart(within, member))
		cancel()
		if err != nil {
			errs = append(errs, err)
			continue // the others are to be restarted all the same
		}
		r.restarted.Add(1)
		if byItself {
			r.byThemselves++
		}
		r.longest = max(r.longest, time.Since(began))
	}
	r.err = errors.Join(errs...)
}

// seen waits until all is over, as long as may be, and hurries in time.
func (r *rolling) seen(ctx context.Context, order []string, hurry func()) (bool, string) {
	timer := time.AfterFunc(healPatience/3, hurry)
	defer timer.Stop()
	select {
	case <-r.done:
		restarted := r.restarted.Load()
		return int(restarted) == len(order), fmt.Sprintf("%d of %d members were restarted, %d of them ended by themselves; the slowest served after %v",
			restarted, len(order), r.byThemselves, r.longest.Round(time.Millisecond))
	case <-ctx.Done():
		return false, fmt.Sprintf("only %d of %d members were restarted in time", r.restarted.Load(), len(order))
	}
}
