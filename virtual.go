package holdfast

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/cluster/sim"
)

// standstill is for how long, by the wall clock, a virtual run may do nothing. It
// takes microseconds from one thing to the next.
const standstill = 30 * time.Second

var errStandstill = errors.New("the simulation has stood still")

// live runs the run, in a bubble if its cluster's time is virtual. Nothing in
// there may wait for ctx, which was made outside: the cluster asks for its end
// and ends a context of the bubble's own.
func (r *run) live(ctx context.Context) error {
	b, _ := backendOf(r.scenario.Cluster.Kind) // validated
	if !b.virtual {
		return r.run(ctx)
	}
	var interrupted atomic.Bool
	var beats atomic.Int64
	defer context.AfterFunc(ctx, func() { interrupted.Store(true) })()
	ended := make(chan error, 1)
	go func() {
		var fault error
		err := sim.Bubble(func() {
			inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
			defer cancel()
			r.stopped = func() bool {
				beats.Add(1)
				return interrupted.Load()
			}
			r.interrupt = cancel
			fault = r.run(inner)
		})
		if errors.Is(err, sim.ErrLeftBehind) {
			r.warn("end the simulation", err)
			err = nil
		}
		ended <- errors.Join(fault, err)
	}()
	patience := cmp.Or(r.standstill, standstill)
	ticker := time.NewTicker(patience)
	defer ticker.Stop()
	for last := int64(-1); ; {
		select {
		case err := <-ended:
			return err
		case <-ticker.C:
			if now := beats.Load(); now != last {
				last = now
				continue
			}
			return fmt.Errorf("%w for %v: a goroutine in it waits for what virtual time does not know of, such as a mutex, a channel that was made before the run, or the network", errStandstill, patience)
		}
	}
}

// begun notes that the cluster is up. What a virtual clock says is no time that
// anybody would look for.
func (r *run) begun(version string) error {
	r.info.Etcd = version
	if b, _ := backendOf(r.scenario.Cluster.Kind); !b.virtual {
		r.info.Started = r.clock.Start()
	}
	if r.directory == nil {
		return nil
	}
	return r.directory.writeInfo(r.info)
}

// path is the run directory, or "".
func (r *run) path() string {
	if r.directory == nil {
		return ""
	}
	return r.directory.path
}

// dial is how clients connect, if not by URLs.
func (r *run) dial() func(context.Context, string, time.Duration) (*clientv3.Client, error) {
	if d, ok := r.cluster.(cluster.Dialler); ok {
		return d.Dial
	}
	return nil
}
