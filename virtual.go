package holdfast

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/cluster/sim"
)

// live runs the run, in a bubble if its cluster's time is virtual. Nothing in
// there may wait for ctx, which was made outside: the cluster asks for its end
// and ends a context of the bubble's own.
func (r *run) live(ctx context.Context) error {
	b, _ := backendOf(r.scenario.Cluster.Kind) // validated
	if !b.virtual {
		return r.run(ctx)
	}
	var interrupted atomic.Bool
	defer context.AfterFunc(ctx, func() { interrupted.Store(true) })()
	var fault error
	err := sim.Bubble(func() {
		inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
		defer cancel()
		r.stopped, r.interrupt = interrupted.Load, cancel
		fault = r.run(inner)
	})
	return errors.Join(fault, err)
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
