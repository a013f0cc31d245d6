package broken

import (
	"context"
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

func TestServicesGoWrong(t *testing.T) {
	lead := func(name string, s *workloads.Session, prefix string, during func()) {
		t.Helper()
		service := testetcd.Named(t, Subjects(), name).NewService(s, prefix)
		if err := service.Run(testetcd.Within(t), func(context.Context, workloads.Grant) { during() }); err != nil {
			t.Error(err)
		}
	}
	t.Run("the key stays", func(t *testing.T) {
		s, prefix := testetcd.Open(t), testetcd.Prefix(t)
		lead("service-stays", s, prefix, func() {})
		testetcd.AwaitKeys(t, s.Client, prefix, 1)
	})
	t.Run("two lead", func(t *testing.T) {
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		both := false
		// The seat is empty when the first looks, and taken when it sits down.
		lead("service-unconfirmed", b, prefix, func() {})
		testetcd.AwaitKeys(t, a.Client, prefix, 0)
		a.Client.KV = &beforePut{a.Client.KV, nil}
		a.Client.KV.(*beforePut).call = func() {
			lead("service-unconfirmed", b, prefix, func() { both = true })
		}
		lead("service-unconfirmed", a, prefix, func() {})
		if !both {
			t.Error("nobody led while the other was about to")
		}
		testetcd.AwaitKeys(t, a.Client, prefix, 0)
	})
	t.Run("leading ends with the session", func(t *testing.T) {
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		service := testetcd.Named(t, Subjects(), "service-unconfirmed").NewService(a, prefix)
		err := service.Run(testetcd.Within(t), func(ctx context.Context, _ workloads.Grant) {
			testetcd.Revoke(t, b, a)
			<-ctx.Done()
		})
		if err != nil {
			t.Error(err)
		}
	})
}
