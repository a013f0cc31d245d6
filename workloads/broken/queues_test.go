package broken

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

// drained are the values that dequeues of several clients return, in turn.
func drained(t *testing.T, n int, queues ...workloads.Queue) []string {
	t.Helper()
	var values []string
	for i := range n {
		item, err := queues[i%len(queues)].Dequeue(testetcd.Within(t))
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, item.Value)
	}
	return values
}

func TestQueuesGiveOut(t *testing.T) {
	for _, c := range []struct {
		name string
		want []string
	}{
		{"queue-delivers-twice", []string{"v2", "v10", "v9"}},
		{"queue-is-a-stack", []string{"v9", "v10", "v2"}}, // the bug
		{"queue-prefetches", []string{"v2", "v10", "v9"}},
		{"priority-as-text", []string{"v10", "v2", "v9"}}, // the bug
	} {
		s, prefix := testetcd.Open(t), testetcd.Prefix(t)
		subject := testetcd.Named(t, Subjects(), c.name)
		create := subject.NewQueue
		if create == nil {
			create = subject.NewPriorityQueue
		}
		q := create(s, prefix)
		ctx, cancel := context.WithCancel(testetcd.Within(t))
		waiting := testetcd.StartWaiting(t, s, func() (workloads.Grant, error) {
			_, err := q.Dequeue(ctx)
			return workloads.Grant{}, err
		})
		cancel()
		if o := testetcd.Result(t, waiting); !errors.Is(o.Err, context.Canceled) || !workloads.Certain(o.Err) {
			t.Errorf("%s: gave up with %v, want a cancellation that is certain", c.name, o.Err)
		}
		for _, priority := range []uint16{2, 10, 9} {
			if err := q.Enqueue(testetcd.Within(t), workloads.Item{Value: fmt.Sprint("v", priority), Priority: priority}); err != nil {
				t.Fatal(err)
			}
		}
		if got := drained(t, 3, q); !slices.Equal(got, c.want) {
			t.Errorf("%s gave out %v, want %v", c.name, got, c.want)
		}
		testetcd.AwaitKeys(t, s.Client, prefix, 0)
	}
}

func TestQueuesGoWrong(t *testing.T) {
	queues := func(name string) (a *workloads.Session, one, two workloads.Queue) {
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		subject := testetcd.Named(t, Subjects(), name)
		one, two = subject.NewQueue(a, prefix), subject.NewQueue(b, prefix)
		if err := one.Enqueue(testetcd.Within(t), workloads.Item{Value: "v"}); err != nil {
			t.Fatal(err)
		}
		return a, one, two
	}
	t.Run("two take one item", func(t *testing.T) {
		a, one, two := queues("queue-delivers-twice")
		a.Client.KV = &afterGet{a.Client.KV, func() {
			if got := drained(t, 1, two); got[0] != "v" {
				t.Error(got)
			}
		}}
		if got := drained(t, 1, one); got[0] != "v" {
			t.Error(got)
		}
	})
	t.Run("an item stays in memory", func(t *testing.T) {
		a, one, two := queues("queue-prefetches")
		if err := two.Enqueue(testetcd.Within(t), workloads.Item{Value: "w"}); err != nil {
			t.Fatal(err)
		}
		drained(t, 1, two)
		ctx, cancel := context.WithCancel(testetcd.Within(t))
		defer cancel()
		waiting := testetcd.StartWaiting(t, a, func() (workloads.Grant, error) {
			_, err := one.Dequeue(ctx)
			return workloads.Grant{}, err
		})
		cancel()
		if o := testetcd.Result(t, waiting); !errors.Is(o.Err, context.Canceled) {
			t.Errorf("got %v, and the other has the item", o.Err)
		}
	})
	t.Run("an item is taken for nobody", func(t *testing.T) {
		a, one, two := queues("queue-goes-on")
		if got := drained(t, 1, one); got[0] != "v" {
			t.Error(got)
		}
		ctx, cancel := context.WithCancel(testetcd.Within(t))
		defer cancel()
		waiting := testetcd.StartWaiting(t, a, func() (workloads.Grant, error) {
			_, err := one.Dequeue(ctx)
			return workloads.Grant{}, err
		})
		cancel()
		if o := testetcd.Result(t, waiting); !errors.Is(o.Err, context.Canceled) || !workloads.Certain(o.Err) {
			t.Errorf("gave up with %v, want a cancellation that is certain", o.Err)
		}
		if err := two.Enqueue(testetcd.Within(t), workloads.Item{Value: "w"}); err != nil {
			t.Fatal(err)
		}
		testetcd.AwaitKeys(t, a.Client, strings.TrimSuffix(one.(*backgroundQueue).prefix, "/"), 0)
	})
}
