package recipes

import (
	"context"
	"errors"
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

func forEachBarrier(t *testing.T, test func(t *testing.T, subject workloads.Subject)) {
	forSome(t, func(s workloads.Subject) bool { return s.NewBarrier != nil }, test)
}

// waiting starts a call of s that gives no grant, and returns when it waits.
func waiting(t *testing.T, s *workloads.Session, ctx context.Context, call func(context.Context) error) <-chan testetcd.Outcome {
	t.Helper()
	return testetcd.StartWaiting(t, s, func() (workloads.Grant, error) { return workloads.Grant{}, call(ctx) })
}

func TestABarrierIsPassedWhenItIsOpened(t *testing.T) {
	forEachBarrier(t, func(t *testing.T, subject workloads.Subject) {
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		one, two := subject.NewBarrier(a, prefix), subject.NewBarrier(b, prefix)
		testetcd.Must(t, two.Pass) // it is open at first
		testetcd.Must(t, one.Block)
		if err := two.Block(testetcd.Within(t)); err == nil || !workloads.Certain(err) {
			t.Errorf("block of a closed barrier: %v, want an error that is certain", err)
		}
		done := waiting(t, b, testetcd.Within(t), two.Pass)
		select {
		case o := <-done:
			t.Fatalf("passed a closed barrier: %v", o.Err)
		default:
		}
		testetcd.Must(t, one.Unblock)
		if o := testetcd.Result(t, done); o.Err != nil {
			t.Error(o.Err)
		}
		testetcd.AwaitKeys(t, a.Client, prefix, 0)
	})
}

// Etcd's own takes a watch that is cancelled for the end of the barrier.
func TestAPassWhoseWatchIsCancelled(t *testing.T) {
	forEachBarrier(t, func(t *testing.T, subject workloads.Subject) {
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		one, two := subject.NewBarrier(a, prefix), subject.NewBarrier(b, prefix)
		testetcd.Must(t, one.Block)
		watches := cancelWatches(b, 1)
		if subject.Blocking {
			if err := two.Pass(testetcd.Within(t)); err != nil {
				t.Errorf("etcd's Wait returns %v where it used to pass: is the defect mended?", err)
			}
			return
		}
		ctx, cancel := context.WithCancel(testetcd.Within(t))
		defer cancel()
		passed := make(chan error, 1)
		go func() { passed <- two.Pass(ctx) }()
		for range 2 { // the watch that is refused and the one after it
			select {
			case <-watches.told:
			case err := <-passed:
				t.Fatalf("passed a closed barrier: %v", err)
			}
		}
		cancel()
		if err := <-passed; !errors.Is(err, context.Canceled) || !workloads.Certain(err) {
			t.Errorf("got %v, want a cancellation that is certain", err)
		}
	})
}
