package recipes

import (
	"errors"
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

func TestTryTaken(t *testing.T) {
	a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
	first, second := NewMutex(a, prefix), NewMutex(b, prefix)
	testetcd.MustHold(t, first.TryAcquire)
	if _, err := second.TryAcquire(testetcd.Within(t)); !errors.Is(err, workloads.ErrTaken) {
		t.Fatalf("try while another holds: %v, want %v", err, workloads.ErrTaken)
	}
	testetcd.AwaitKeys(t, a.Client, prefix, 1)
	testetcd.Must(t, first.Release)
	grant := testetcd.MustHold(t, second.TryAcquire)
	if !testetcd.Exists(t, b.Client, grant) {
		t.Errorf("etcd has no key %q of create revision %d", grant.Key, grant.Token)
	}
	testetcd.Must(t, second.Release)
}
