package recipes

import (
	"errors"
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads"
)

func TestTryTaken(t *testing.T) {
	a, b, prefix := open(t), open(t), prefixOf(t)
	first, second := NewMutex(a, prefix), NewMutex(b, prefix)
	mustHold(t, first.TryAcquire)
	if _, err := second.TryAcquire(within(t)); !errors.Is(err, workloads.ErrTaken) {
		t.Fatalf("try while another holds: %v, want %v", err, workloads.ErrTaken)
	}
	awaitKeys(t, a.Client, prefix, 1)
	must(t, first.Release)
	grant := mustHold(t, second.TryAcquire)
	if !exists(t, b.Client, grant) {
		t.Errorf("etcd has no key %q of create revision %d", grant.Key, grant.Token)
	}
	must(t, second.Release)
}
