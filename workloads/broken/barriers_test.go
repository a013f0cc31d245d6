package broken

import (
	"context"
	"errors"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

func TestBarrierGivesUp(t *testing.T) {
	s, prefix := testetcd.Open(t), testetcd.Prefix(t)
	barrier := testetcd.Named(t, Subjects(), "barrier-gives-up").NewBarrier(s, prefix)
	testetcd.Must(t, barrier.Block)
	testetcd.Must(t, barrier.Pass) // the bug
	ctx, cancel := context.WithCancel(testetcd.Within(t))
	cancel()
	if err := barrier.Pass(ctx); !errors.Is(err, context.Canceled) || !workloads.Certain(err) {
		t.Errorf("pass with a context that is over: %v", err)
	}
	testetcd.Must(t, barrier.Unblock)
	testetcd.Must(t, barrier.Pass)
}

// afterGet makes a client call something after its first read.
type afterGet struct {
	clientv3.KV
	call func()
}

func (k *afterGet) Get(ctx context.Context, key string, options ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	reply, err := k.KV.Get(ctx, key, options...)
	if call := k.call; call != nil {
		k.call = nil
		call()
	}
	return reply, err
}

func TestBarriersWaiters(t *testing.T) {
	s, prefix := testetcd.Open(t), testetcd.Prefix(t)
	early := testetcd.Named(t, Subjects(), "barrier-first-answer").NewBarrier(s, prefix)
	testetcd.Must(t, early.Pass)
	testetcd.Must(t, early.Block)
	testetcd.Must(t, early.Pass) // the bug
	testetcd.Must(t, early.Unblock)

	stale := testetcd.Named(t, Subjects(), "barrier-stale-look")
	a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
	one, two := stale.NewBarrier(a, prefix), stale.NewBarrier(b, prefix)
	testetcd.Must(t, two.Pass)
	testetcd.Must(t, one.Block)
	ctx, cancel := context.WithCancel(testetcd.Within(t))
	defer cancel()
	waiting := testetcd.StartWaiting(t, b, func() (workloads.Grant, error) { return workloads.Grant{}, two.Pass(ctx) })
	cancel()
	if o := testetcd.Result(t, waiting); !errors.Is(o.Err, context.Canceled) || !workloads.Certain(o.Err) {
		t.Errorf("gave up with %v, want a cancellation that is certain", o.Err)
	}
	waiting = testetcd.StartWaiting(t, b, func() (workloads.Grant, error) { return workloads.Grant{}, two.Pass(testetcd.Within(t)) })
	testetcd.Must(t, one.Unblock)
	if o := testetcd.Result(t, waiting); o.Err != nil {
		t.Error(o.Err)
	}
}

func TestDoubleBarriers(t *testing.T) {
	enter := func(d workloads.DoubleBarrier) func() (workloads.Grant, error) {
		return func() (workloads.Grant, error) { return workloads.Grant{}, d.Enter(testetcd.Within(t)) }
	}
	pair := func(name string) (a, b *workloads.Session, one, two workloads.DoubleBarrier) {
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		subject := testetcd.Named(t, Subjects(), name)
		return a, b, subject.NewDoubleBarrier(a, prefix, 2), subject.NewDoubleBarrier(b, prefix, 2)
	}
	t.Run("one enters alone", func(t *testing.T) {
		_, _, one, _ := pair("double-barrier-off-by-one")
		testetcd.Must(t, one.Enter)
		testetcd.Must(t, one.Leave)
	})
	t.Run("the dead count", func(t *testing.T) {
		a, b, one, two := pair("double-barrier-counts-arrivals")
		for range 2 { // together
			waiting := testetcd.StartWaiting(t, a, enter(one))
			testetcd.Must(t, two.Enter)
			if o := testetcd.Result(t, waiting); o.Err != nil {
				t.Fatal(o.Err)
			}
			leaving := testetcd.StartWaiting(t, a, func() (workloads.Grant, error) { return workloads.Grant{}, one.Leave(testetcd.Within(t)) })
			testetcd.Must(t, two.Leave)
			if o := testetcd.Result(t, leaving); o.Err != nil {
				t.Fatal(o.Err)
			}
		}
		ctx, cancel := context.WithCancel(testetcd.Within(t))
		defer cancel()
		waiting := testetcd.StartWaiting(t, b, func() (workloads.Grant, error) { return workloads.Grant{}, two.Enter(ctx) })
		cancel()
		if o := testetcd.Result(t, waiting); !errors.Is(o.Err, context.Canceled) {
			t.Fatal(o.Err)
		}
		testetcd.Must(t, one.Enter) // the bug
	})
	t.Run("one leaves alone", func(t *testing.T) {
		a, _, one, two := pair("double-barrier-leaves-alone")
		waiting := testetcd.StartWaiting(t, a, enter(one))
		testetcd.Must(t, two.Enter)
		if o := testetcd.Result(t, waiting); o.Err != nil {
			t.Fatal(o.Err)
		}
		testetcd.Must(t, two.Leave)
		testetcd.Must(t, one.Leave)
	})
}
