package recipes

import (
	"errors"
	"testing"

	"go.etcd.io/etcd/client/v3/concurrency"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

func TestLockerReturnsWhatItPanicsWith(t *testing.T) {
	t.Run("lease ended during the wait", func(t *testing.T) {
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		first, second := NewLocker(a, prefix), NewLocker(b, prefix)
		testetcd.MustHold(t, first.Acquire)
		waiting := testetcd.StartWaiting(t, b, func() (workloads.Grant, error) { return second.Acquire(testetcd.Within(t)) })
		testetcd.Revoke(t, a, b)
		testetcd.Must(t, first.Release)
		if o := testetcd.Result(t, waiting); !errors.Is(o.Err, concurrency.ErrSessionExpired) {
			t.Errorf("acquire: %v, want %v", o.Err, concurrency.ErrSessionExpired)
		}
	})
	t.Run("client closed", func(t *testing.T) {
		session := testetcd.Open(t)
		locker := NewLocker(session, testetcd.Prefix(t))
		testetcd.MustHold(t, locker.Acquire)
		if err := session.Client.Close(); err != nil {
			t.Fatal(err)
		}
		if err := locker.Release(testetcd.Within(t)); err == nil || workloads.Certain(err) {
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
