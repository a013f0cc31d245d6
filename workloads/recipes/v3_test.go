package recipes

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

// The services wait inside the server: that a call waits shows in its key alone.

func forEachService(t *testing.T, test func(t *testing.T, subject workloads.Subject)) {
	forSome(t, func(s workloads.Subject) bool { return strings.HasPrefix(s.Name, "v3") }, test)
}

func startQueued(t *testing.T, s *workloads.Session, prefix string, call func() (workloads.Grant, error)) <-chan testetcd.Outcome {
	t.Helper()
	done, ended := make(chan testetcd.Outcome, 1), make(chan struct{})
	go func() {
		defer close(ended)
		grant, err := call()
		done <- testetcd.Outcome{Grant: grant, Err: err}
	}()
	t.Cleanup(func() { <-ended })
	testetcd.AwaitKeys(t, s.Client, prefix, 2)
	return done
}

func TestServiceSecondWaitsForTheFirst(t *testing.T) {
	forEachService(t, func(t *testing.T, subject workloads.Subject) {
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		first, second := testetcd.Exclusive(subject, a, prefix), testetcd.Exclusive(subject, b, prefix)
		older := testetcd.MustHold(t, first.Acquire)
		waiting := startQueued(t, a, prefix, func() (workloads.Grant, error) { return second.Acquire(testetcd.Within(t)) })
		select {
		case o := <-waiting:
			t.Fatalf("the second returned %+v while the first held", o)
		default:
		}
		testetcd.Must(t, first.Release)
		younger := testetcd.Result(t, waiting)
		if younger.Err != nil || younger.Grant.Token <= older.Token {
			t.Fatalf("the later owner: %+v, the earlier one had token %d", younger, older.Token)
		}
		testetcd.Must(t, second.Release)
		testetcd.AwaitKeys(t, a.Client, prefix, 0)
	})
}

// The server cleans up after a call that was cancelled, a moment after the
// caller has been told.
func TestServiceGivingUpLeavesNoKey(t *testing.T) {
	forEachService(t, func(t *testing.T, subject workloads.Subject) {
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		first, second := testetcd.Exclusive(subject, a, prefix), testetcd.Exclusive(subject, b, prefix)
		testetcd.MustHold(t, first.Acquire)
		ctx, cancel := context.WithCancel(testetcd.Within(t))
		defer cancel()
		waiting := startQueued(t, a, prefix, func() (workloads.Grant, error) { return second.Acquire(ctx) })
		cancel()
		if o := testetcd.Result(t, waiting); o.Err == nil || workloads.Certain(o.Err) {
			t.Errorf("gave up with %v, want an error that is not certain", o.Err)
		}
		testetcd.AwaitKeys(t, a.Client, prefix, 1)
		testetcd.Must(t, first.Release)
	})
}

// A waiter whose lease ends: the lock service refuses, as concurrency.Mutex
// does, and the election service lets it in once its turn comes, as
// concurrency.Election does (etcd#19597).
func TestServiceWaiterWhoseLeaseEnds(t *testing.T) {
	for name, refused := range map[string]bool{"v3lock": true, "v3election": false} {
		t.Run(name, func(t *testing.T) {
			subject := testetcd.Named(t, Subjects(), name)
			a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
			first, second := testetcd.Exclusive(subject, a, prefix), testetcd.Exclusive(subject, b, prefix)
			testetcd.MustHold(t, first.Acquire)
			waiting := startQueued(t, a, prefix, func() (workloads.Grant, error) { return second.Acquire(testetcd.Within(t)) })
			testetcd.Revoke(t, a, b)
			testetcd.AwaitKeys(t, a.Client, prefix, 1)
			testetcd.Must(t, first.Release)
			if o := testetcd.Result(t, waiting); (o.Err != nil) != refused || refused && !workloads.Certain(o.Err) {
				t.Errorf("the waiter without a key: %+v, want an error that is certain: %t", o, refused)
			}
		})
	}
}

func TestServiceErrorsAreTold(t *testing.T) {
	session, prefix := testetcd.Open(t), testetcd.Prefix(t)
	e := NewV3Election(session, prefix)
	if _, err := e.Leader(testetcd.Within(t)); !errors.Is(err, workloads.ErrNoLeader) {
		t.Errorf("leader of nobody: %v", err)
	}
	e.Resume(workloads.Grant{Key: prefix + "/1", Token: 1})
	if err := e.Proclaim(testetcd.Within(t), "v"); !workloads.Certain(err) {
		t.Errorf("proclaim without leading: %v, want an error that is certain", err)
	}
}
