package recipes

import (
	"errors"
	"testing"

	"go.etcd.io/etcd/client/v3/concurrency"

	"github.com/etcd-holdfast/holdfast/workloads"
)

func TestLockerReturnsWhatItPanicsWith(t *testing.T) {
	t.Run("lease ended during the wait", func(t *testing.T) {
		a, b, prefix := open(t), open(t), prefixOf(t)
		first, second := NewLocker(a, prefix), NewLocker(b, prefix)
		mustHold(t, first.Acquire)
		waiting := startWaiting(t, b, func() (workloads.Grant, error) { return second.Acquire(within(t)) })
		revoke(t, a, b)
		must(t, first.Release)
		if o := result(t, waiting); !errors.Is(o.err, concurrency.ErrSessionExpired) {
			t.Errorf("acquire: %v, want %v", o.err, concurrency.ErrSessionExpired)
		}
	})
	t.Run("client closed", func(t *testing.T) {
		session := open(t)
		locker := NewLocker(session, prefixOf(t))
		mustHold(t, locker.Acquire)
		if err := session.Client.Close(); err != nil {
			t.Fatal(err)
		}
		if err := locker.Release(within(t)); err == nil || workloads.Certain(err) {
			t.Errorf("release with a closed client: %v, want an error that is not certain", err)
		}
	})
}

func TestOtherPanicsGoOn(t *testing.T) {
	var none *int
	for name, call := range map[string]func(){
		"no error":      func() { panic("a defect") },
		"runtime error": func() { *none = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			err := recovered(call)
			t.Errorf("recovered returned %v", err)
		})
	}
}
