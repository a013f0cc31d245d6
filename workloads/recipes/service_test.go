package recipes

import (
	"context"
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

// serve runs a service whose leader stays until its context ends.
func serve(t *testing.T, ctx context.Context, s *workloads.Session, prefix string) (led <-chan workloads.Grant, ended <-chan error) {
	leads, done := make(chan workloads.Grant, 1), make(chan error, 1)
	joined := make(chan struct{})
	go func() {
		defer close(joined)
		done <- NewService(s, prefix).Run(ctx, func(ctx context.Context, grant workloads.Grant) {
			leads <- grant
			<-ctx.Done()
		})
	}()
	t.Cleanup(func() { <-joined })
	return leads, done
}

func receive[T any](t *testing.T, what string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-testetcd.Within(t).Done():
		t.Fatalf("%s did not come", what)
		panic("unreachable")
	}
}

func TestServiceStopsWhenItsLeadershipIsOver(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, by, leader *workloads.Session, grant workloads.Grant, cancel func()){
		"caller ends it": func(_ *testing.T, _, _ *workloads.Session, _ workloads.Grant, cancel func()) { cancel() },
		"lease revoked": func(t *testing.T, by, leader *workloads.Session, _ workloads.Grant, _ func()) {
			testetcd.Revoke(t, by, leader)
		},
		"session orphaned": func(_ *testing.T, _, leader *workloads.Session, _ workloads.Grant, _ func()) {
			leader.Session.Orphan()
		},
		"key deleted": func(t *testing.T, by, _ *workloads.Session, grant workloads.Grant, _ func()) {
			if _, err := by.Client.Delete(testetcd.Within(t), grant.Key); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
			ctx, cancel := context.WithCancel(testetcd.Within(t))
			defer cancel()
			led, ended := serve(t, ctx, a, prefix)
			grant := receive(t, "the leadership", led)
			if !testetcd.Exists(t, b.Client, grant) {
				t.Errorf("there is no key of %+v", grant)
			}
			end(t, b, a, grant, cancel)
			if err := receive(t, "the end of Run", ended); err != nil {
				t.Errorf("Run: %v", err)
			}
			testetcd.AwaitKeys(t, b.Client, prefix, 0)
		})
	}
}

func TestServiceRunsOnceAtATime(t *testing.T) {
	a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
	first, stop := context.WithCancel(testetcd.Within(t))
	defer stop()
	led, _ := serve(t, first, a, prefix)
	receive(t, "the first leadership", led)
	second, stopSecond := context.WithCancel(testetcd.Within(t))
	defer stopSecond()
	next, ended := serve(t, second, b, prefix)
	testetcd.AwaitKeys(t, a.Client, prefix, 2)
	select {
	case <-next:
		t.Fatal("both lead")
	default:
	}
	stop()
	receive(t, "the second leadership", next)
	stopSecond()
	if err := receive(t, "the end of Run", ended); err != nil {
		t.Error(err)
	}
}
