package broken

import (
	"context"
	"errors"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

func TestSemaphoresLetIn(t *testing.T) {
	for name, atLeast := range map[string]int{"semaphore-off-by-one": 3, "semaphore-counts-first": 2, "semaphore-without-lease": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			prefix := testetcd.Prefix(t)
			subject := testetcd.Named(t, Subjects(), name)
			var held []workloads.Semaphore
			for range atLeast {
				s := testetcd.Open(t)
				semaphore := subject.NewSemaphore(s, prefix, 2)
				grant := testetcd.MustHold(t, semaphore.Acquire)
				if !testetcd.Exists(t, s.Client, grant) {
					t.Errorf("there is no key for %+v", grant)
				}
				held = append(held, semaphore)
			}
			next := testetcd.Open(t)
			one := subject.NewSemaphore(next, prefix, 2)
			ctx, cancel := context.WithCancel(testetcd.Within(t))
			defer cancel()
			waiting := testetcd.StartWaiting(t, next, func() (workloads.Grant, error) { return one.Acquire(ctx) })
			cancel()
			if o := testetcd.Result(t, waiting); !errors.Is(o.Err, context.Canceled) || !workloads.Certain(o.Err) {
				t.Errorf("gave up with %v, want a cancellation that is certain", o.Err)
			}
			testetcd.AwaitKeys(t, next.Client, prefix, atLeast)
			waiting = testetcd.StartWaiting(t, next, func() (workloads.Grant, error) { return one.Acquire(testetcd.Within(t)) })
			testetcd.Must(t, held[0].Release)
			if o := testetcd.Result(t, waiting); o.Err != nil {
				t.Fatal(o.Err)
			}
			testetcd.Must(t, one.Release)
			for _, semaphore := range held[1:] {
				testetcd.Must(t, semaphore.Release)
			}
			testetcd.AwaitKeys(t, next.Client, prefix, 0)
		})
	}
}

// beforePut makes a client call something before its first transaction.
type beforePut struct {
	clientv3.KV
	call func()
}

func (k *beforePut) Txn(ctx context.Context) clientv3.Txn {
	if call := k.call; call != nil {
		k.call = nil
		call()
	}
	return k.KV.Txn(ctx)
}

func (k *beforePut) Put(ctx context.Context, key, value string, options ...clientv3.OpOption) (*clientv3.PutResponse, error) {
	if call := k.call; call != nil {
		k.call = nil
		call()
	}
	return k.KV.Put(ctx, key, value, options...)
}

func TestSemaphoreCountsFirstAndTwoGetIn(t *testing.T) {
	a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
	subject := testetcd.Named(t, Subjects(), "semaphore-counts-first")
	second := subject.NewSemaphore(b, prefix, 1)
	a.Client.KV = &beforePut{a.Client.KV, func() { testetcd.MustHold(t, second.Acquire) }}
	testetcd.MustHold(t, subject.NewSemaphore(a, prefix, 1).Acquire)
	testetcd.AwaitKeys(t, a.Client, prefix, 2)
}

func TestSemaphoreWithoutLeaseKeepsThePermitOfTheDead(t *testing.T) {
	a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
	subject := testetcd.Named(t, Subjects(), "semaphore-without-lease")
	grant := testetcd.MustHold(t, subject.NewSemaphore(a, prefix, 1).Acquire)
	testetcd.Revoke(t, b, a)
	if !testetcd.Exists(t, b.Client, grant) {
		t.Error("the permit is back")
	}
}
