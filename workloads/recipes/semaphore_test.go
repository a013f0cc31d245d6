package recipes

import (
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

func TestSemaphoreHasItsPermitsAndNoMore(t *testing.T) {
	prefix := testetcd.Prefix(t)
	var holders []*Semaphore
	for range 2 {
		p := NewSemaphore(testetcd.Open(t), prefix, 2)
		testetcd.MustHold(t, p.Acquire)
		holders = append(holders, p)
	}
	s := testetcd.Open(t)
	third := NewSemaphore(s, prefix, 2)
	waiting := testetcd.StartWaiting(t, s, func() (workloads.Grant, error) { return third.Acquire(testetcd.Within(t)) })
	testetcd.Must(t, holders[1].Release)
	if o := testetcd.Result(t, waiting); o.Err != nil {
		t.Fatal(o.Err)
	}
	for _, p := range []*Semaphore{holders[0], third} {
		testetcd.Must(t, p.Release)
	}
	testetcd.AwaitKeys(t, s.Client, prefix, 0)
}

// A watch that was compacted away tells nothing: the waiter looks again.
func TestSemaphoreOutlivesACompaction(t *testing.T) {
	a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
	first, second := NewSemaphore(a, prefix, 1), NewSemaphore(b, prefix, 1)
	testetcd.MustHold(t, first.Acquire)
	grant := testetcd.MustHold(t, NewSemaphore(b, testetcd.Prefix(t), 1).Acquire)
	if _, err := a.Client.Compact(testetcd.Within(t), grant.Token); err != nil {
		t.Fatal(err)
	}
	// Revision 1 is compacted: the watch ends at once, without an event.
	if err := await(testetcd.Within(t), b.Client, nil, prefix, 0); err != nil {
		t.Fatalf("the watch was compacted away: %v, want nil: look again", err)
	}
	testetcd.Must(t, first.Release)
	testetcd.MustHold(t, second.Acquire)
	testetcd.Must(t, second.Release)
}

// Its own key decides: a waiter whose key is gone is refused for certain.
func TestSemaphoreWaiterWhoseLeaseEnds(t *testing.T) {
	a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
	first, second := NewSemaphore(a, prefix, 1), NewSemaphore(b, prefix, 1)
	testetcd.MustHold(t, first.Acquire)
	waiting := testetcd.StartWaiting(t, b, func() (workloads.Grant, error) { return second.Acquire(testetcd.Within(t)) })
	testetcd.Revoke(t, a, b)
	if o := testetcd.Result(t, waiting); o.Err == nil || !workloads.Certain(o.Err) {
		t.Errorf("got %+v, want an error that is certain", o)
	}
	// A key of another that only looks alike is none of the semaphore's.
	if _, err := a.Client.Put(testetcd.Within(t), prefix+"0/x", "", clientv3.WithLease(a.Session.Lease())); err != nil {
		t.Fatal(err)
	}
	testetcd.Must(t, first.Release)
	testetcd.MustHold(t, first.Acquire)
	testetcd.Must(t, first.Release)
}
