package recipes

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

func newQueue(subject workloads.Subject, s *workloads.Session, prefix string) workloads.Queue {
	if subject.NewPriorityQueue != nil {
		return subject.NewPriorityQueue(s, prefix)
	}
	return subject.NewQueue(s, prefix)
}

func forEachQueue(t *testing.T, test func(t *testing.T, subject workloads.Subject)) {
	forSome(t, func(s workloads.Subject) bool { return s.NewQueue != nil || s.NewPriorityQueue != nil }, test)
}

func put(t *testing.T, q workloads.Queue, value string, priority uint16) {
	t.Helper()
	if err := q.Enqueue(testetcd.Within(t), workloads.Item{Value: value, Priority: priority}); err != nil {
		t.Fatal(err)
	}
}

func take(t *testing.T, q workloads.Queue) string {
	t.Helper()
	item, err := q.Dequeue(testetcd.Within(t))
	if err != nil {
		t.Fatal(err)
	}
	return item.Value
}

func TestItemsComeOutInOrder(t *testing.T) {
	forEachQueue(t, func(t *testing.T, subject workloads.Subject) {
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		in, out := newQueue(subject, a, prefix), newQueue(subject, b, prefix)
		put(t, in, "second", 7)
		put(t, in, "first", 3)
		put(t, in, "third", 65535)
		want := []string{"second", "first", "third"}
		if subject.NewPriorityQueue != nil {
			want = []string{"first", "second", "third"}
		}
		if got := []string{take(t, out), take(t, out), take(t, out)}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// dequeuing is what a Dequeue of s comes to, which waits by now.
func dequeuing(t *testing.T, s *workloads.Session, ctx context.Context, q workloads.Queue) (value *string, done <-chan testetcd.Outcome) {
	t.Helper()
	value = new(string)
	return value, testetcd.StartWaiting(t, s, func() (workloads.Grant, error) {
		item, err := q.Dequeue(ctx)
		*value = item.Value
		return workloads.Grant{}, err
	})
}

func TestADequeueWaitsForAnItem(t *testing.T) {
	forEachQueue(t, func(t *testing.T, subject workloads.Subject) {
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		in, out := newQueue(subject, a, prefix), newQueue(subject, b, prefix)
		value, done := dequeuing(t, b, testetcd.Within(t), out)
		put(t, in, "item", 1)
		if o := testetcd.Result(t, done); o.Err != nil || *value != "item" {
			t.Errorf("got %q, %v", *value, o.Err)
		}
		testetcd.AwaitKeys(t, a.Client, prefix, 0)
	})
}

// etcd's queue does not end its name with a slash; the others do.
func TestAQueueAndItsNeighbour(t *testing.T) {
	forEachQueue(t, func(t *testing.T, subject workloads.Subject) {
		s, prefix := testetcd.Open(t), testetcd.Prefix(t)
		job, jobs := newQueue(subject, s, prefix+"/job"), newQueue(subject, s, prefix+"/jobs")
		put(t, jobs, "of jobs", 0)
		put(t, job, "of job", 0)
		want := "of job"
		if subject.Name == "queue" {
			want = "of jobs" // the defect
		}
		if got := take(t, job); got != want {
			t.Errorf("the queue job gave out the item %s, want %s", got, want)
		}
	})
}

// A watch that is cancelled tells nothing. Etcd's own take it for an event.
func TestADequeueWhoseWatchIsCancelled(t *testing.T) {
	forEachQueue(t, func(t *testing.T, subject workloads.Subject) {
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		in, out := newQueue(subject, a, prefix), newQueue(subject, b, prefix)
		watches := cancelWatches(b, 2)
		if subject.Blocking {
			defer func() {
				if recover() == nil {
					t.Error("etcd's Dequeue does not panic any more: etcd#17198 is mended")
				}
			}()
			_, err := out.Dequeue(testetcd.Within(t))
			t.Errorf("etcd's Dequeue returned %v", err)
			return
		}
		value, done := dequeuing(t, b, testetcd.Within(t), out)
		put(t, in, "item", 1)
		if o := testetcd.Result(t, done); o.Err != nil || *value != "item" {
			t.Errorf("got %q, %v", *value, o.Err)
		}
		if n := watches.opened.Load(); n > 4 {
			t.Errorf("it opened %d watches", n)
		}
	})
}

func TestADequeueThatGivesUpWaitingHasCertainlyTakenNothing(t *testing.T) {
	forSome(t, func(s workloads.Subject) bool { return (s.NewQueue != nil || s.NewPriorityQueue != nil) && !s.Blocking }, func(t *testing.T, subject workloads.Subject) {
		s, prefix := testetcd.Open(t), testetcd.Prefix(t)
		q := newQueue(subject, s, prefix)
		ctx, cancel := context.WithCancel(testetcd.Within(t))
		_, done := dequeuing(t, s, ctx, q)
		cancel()
		if o := testetcd.Result(t, done); !errors.Is(o.Err, context.Canceled) || !workloads.Certain(o.Err) {
			t.Errorf("got %v, want a cancellation that is certain", o.Err)
		}
		put(t, q, "item", 0)
		if got := take(t, q); got != "item" {
			t.Errorf("got %q", got)
		}
	})
}

// Two queues of one session make keys of their own.
func TestTwoQueuesOfOneSession(t *testing.T) {
	forEachQueue(t, func(t *testing.T, subject workloads.Subject) {
		s, prefix := testetcd.Open(t), testetcd.Prefix(t)
		one, two := newQueue(subject, s, prefix), newQueue(subject, s, prefix)
		put(t, one, "one", 0)
		put(t, two, "two", 0)
		if got := []string{take(t, one), take(t, one)}; !slices.Equal(got, []string{"one", "two"}) {
			t.Errorf("got %v", got)
		}
	})
}
