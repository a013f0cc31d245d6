package broken

import (
	"errors"
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

// A holds and dies, and its session with it: nobody gets the lock.
func TestNoLeaseKeepsTheLockOfTheDead(t *testing.T) {
	a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
	subject := testetcd.Named(t, Subjects(), "no-lease")
	grant := testetcd.MustHold(t, subject.NewLock(a, prefix).Acquire)
	if err := a.Client.Close(); err != nil {
		t.Fatal(err)
	}
	testetcd.Revoke(t, b, a)
	reply, err := b.Client.Get(testetcd.Within(t), grant.Key)
	if err != nil {
		t.Fatal(err)
	}
	if len(reply.Kvs) != 1 || reply.Kvs[0].Lease != 0 {
		t.Fatalf("the key is %v, want one without a lease, which nothing will delete", reply.Kvs)
	}
	if _, err := subject.NewLock(b, prefix).(workloads.TryLock).TryAcquire(testetcd.Within(t)); !errors.Is(err, workloads.ErrTaken) {
		t.Errorf("try after the holder's death: %v, want %v", err, workloads.ErrTaken)
	}
}
