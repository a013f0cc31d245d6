package recipes

import (
	"context"
	"errors"
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

func forEachDoubleBarrier(t *testing.T, test func(t *testing.T, subject workloads.Subject)) {
	forSome(t, func(s workloads.Subject) bool { return s.NewDoubleBarrier != nil }, test)
}

func TestTwoEnterAndLeaveTogether(t *testing.T) {
	forEachDoubleBarrier(t, func(t *testing.T, subject workloads.Subject) {
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		one, two := subject.NewDoubleBarrier(a, prefix, 2), subject.NewDoubleBarrier(b, prefix, 2)
		for range 2 {
			entering := waiting(t, a, testetcd.Within(t), one.Enter)
			select {
			case o := <-entering:
				t.Fatalf("entered alone: %v", o.Err)
			default:
			}
			testetcd.Must(t, two.Enter)
			if o := testetcd.Result(t, entering); o.Err != nil {
				t.Fatal(o.Err)
			}
			leaving := waiting(t, a, testetcd.Within(t), one.Leave)
			select {
			case o := <-leaving:
				t.Fatalf("left alone: %v", o.Err)
			default:
			}
			testetcd.Must(t, two.Leave)
			if o := testetcd.Result(t, leaving); o.Err != nil {
				t.Fatal(o.Err)
			}
			testetcd.AwaitKeys(t, a.Client, prefix+"/waiters", 0)
		}
	})
}

// Etcd's own takes a watch that is cancelled for the sign that all are there.
func TestAnEnterWhoseWatchIsCancelled(t *testing.T) {
	forEachDoubleBarrier(t, func(t *testing.T, subject workloads.Subject) {
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		one, two := subject.NewDoubleBarrier(a, prefix, 2), subject.NewDoubleBarrier(b, prefix, 2)
		watches := cancelWatches(a, 1)
		if subject.Blocking {
			if err := one.Enter(testetcd.Within(t)); err != nil {
				t.Errorf("etcd's Enter returns %v where it used to enter alone: is the defect mended?", err)
			}
			return
		}
		entered := make(chan error, 1)
		ctx := testetcd.Within(t)
		go func() { entered <- one.Enter(ctx) }()
		for range 2 { // the watch that is refused and the one after it
			select {
			case <-watches.told:
			case err := <-entered:
				t.Fatalf("entered alone: %v", err)
			}
		}
		testetcd.Must(t, two.Enter)
		if err := <-entered; err != nil {
			t.Error(err)
		}
	})
}

// One whose lease ended while it waited is not in, whoever comes.
func TestAnEnterWhoseLeaseEnds(t *testing.T) {
	forEachDoubleBarrier(t, func(t *testing.T, subject workloads.Subject) {
		a, b, c, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		entering := waiting(t, a, testetcd.Within(t), subject.NewDoubleBarrier(a, prefix, 2).Enter)
		testetcd.Revoke(t, b, a)
		testetcd.AwaitKeys(t, b.Client, prefix+"/waiters", 0)
		others := waiting(t, b, testetcd.Within(t), subject.NewDoubleBarrier(b, prefix, 2).Enter)
		testetcd.Must(t, subject.NewDoubleBarrier(c, prefix, 2).Enter)
		if o := testetcd.Result(t, others); o.Err != nil {
			t.Fatal(o.Err)
		}
		o := testetcd.Result(t, entering)
		switch {
		case subject.Blocking && o.Err != nil:
			t.Errorf("etcd's Enter returns %v where it used to succeed: is the defect mended?", o.Err)
		case !subject.Blocking && !errors.Is(o.Err, errKeyGone):
			t.Errorf("got %v, want %v", o.Err, errKeyGone)
		case !subject.Blocking && workloads.Certain(o.Err):
			t.Error("it says that it had no effect, and it may have been let in, and another with it")
		}
	})
}

func TestAnEnterThatGivesUpLeavesNoKey(t *testing.T) {
	s, prefix := testetcd.Open(t), testetcd.Prefix(t)
	barrier := NewCheckedDoubleBarrier(s, prefix, 2)
	for range 2 {
		ctx, cancel := context.WithCancel(testetcd.Within(t))
		entering := waiting(t, s, ctx, barrier.Enter)
		cancel()
		if o := testetcd.Result(t, entering); !errors.Is(o.Err, context.Canceled) || workloads.Certain(o.Err) {
			t.Errorf("got %v, want a cancellation that is not certain", o.Err)
		}
		testetcd.AwaitKeys(t, s.Client, prefix+"/waiters", 0)
	}
}

// A third has to wait until the two who are in have left.
func TestAThirdIsNotInWithTwo(t *testing.T) {
	a, b, c, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
	one, two, three := NewCheckedDoubleBarrier(a, prefix, 2), NewCheckedDoubleBarrier(b, prefix, 2), NewCheckedDoubleBarrier(c, prefix, 2)
	entering := waiting(t, a, testetcd.Within(t), one.Enter)
	testetcd.Must(t, two.Enter)
	testetcd.Result(t, entering)
	third := waiting(t, c, testetcd.Within(t), three.Enter)
	leaving := waiting(t, a, testetcd.Within(t), one.Leave)
	testetcd.Must(t, two.Leave) // it does not wait for who is not in
	if o := testetcd.Result(t, leaving); o.Err != nil {
		t.Fatal(o.Err)
	}
	select {
	case o := <-third:
		t.Fatalf("the third entered alone: %v", o.Err)
	default:
	}
	testetcd.Must(t, two.Enter)
	if o := testetcd.Result(t, third); o.Err != nil {
		t.Fatal(o.Err)
	}
}

// Etcd's Leave begins again at once when its watch is refused, from the same
// revision of long ago, which will be refused again: as long as others are in it
// spins. The corrected one begins at what it has just read.
func TestALeaveWhoseWatchesAreCancelled(t *testing.T) {
	forEachDoubleBarrier(t, func(t *testing.T, subject workloads.Subject) {
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		one, two := subject.NewDoubleBarrier(a, prefix, 2), subject.NewDoubleBarrier(b, prefix, 2)
		entering := waiting(t, a, testetcd.Within(t), one.Enter)
		testetcd.Must(t, two.Enter)
		if o := testetcd.Result(t, entering); o.Err != nil {
			t.Fatal(o.Err)
		}
		const refused = 80
		now, err := b.Client.Get(testetcd.Within(t), prefix)
		if err != nil {
			t.Fatal(err)
		}
		watches := cancelWatches(a, refused)
		leaving := waiting(t, a, testetcd.Within(t), one.Leave)
		for range refused + 1 {
			select {
			case <-watches.told:
			case o := <-leaving:
				t.Fatalf("left alone: %v", o.Err)
			}
		}
		if old := watches.revision.Load() <= now.Header.Revision; old != subject.Blocking {
			t.Errorf("after %d watches that were refused the next one begins at a revision of the past: %t", refused, old)
		}
		testetcd.Must(t, two.Leave)
		if o := testetcd.Result(t, leaving); o.Err != nil {
			t.Fatal(o.Err)
		}
	})
}
