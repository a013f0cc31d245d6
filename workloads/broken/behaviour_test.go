package broken

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

// What the subjects do right, apart from the one thing each that they do
// wrong: else another defect than the planted one could be what is found.

func forEach(t *testing.T, test func(t *testing.T, subject workloads.Subject), but ...string) {
	for _, subject := range append(Subjects(), Twins()...) {
		if subject.NewLock == nil && subject.NewRWLock == nil && subject.NewElection == nil {
			continue // see others_test.go
		}
		if slices.Contains(but, subject.Name) {
			continue // that is its bug, or part of its way
		}
		if subject.Name == "short-ttl" {
			// Its bug needs no more than a slow machine to show.
			subject.NewLock = func(s *workloads.Session, prefix string) workloads.Lock {
				return &briefLock{slot: newSlot(s, prefix), ttl: 60}
			}
		}
		t.Run(subject.Name, func(t *testing.T) {
			t.Parallel()
			test(t, subject)
		})
	}
}

// inTheWay takes the lock so that an acquire has to wait for it, and returns
// what gives it back.
func inTheWay(t *testing.T, subject workloads.Subject, s *workloads.Session, prefix string) func(context.Context) error {
	t.Helper()
	if subject.Name == "two-writers" { // only a reader is in a writer's way
		lock := subject.NewRWLock(s, prefix)
		testetcd.MustHold(t, lock.AcquireRead)
		return lock.ReleaseRead
	}
	lock := testetcd.Exclusive(subject, s, prefix)
	testetcd.MustHold(t, lock.Acquire)
	return lock.Release
}

func TestGrantTellsTheKeyAndItsCreateRevision(t *testing.T) {
	forEach(t, func(t *testing.T, subject workloads.Subject) {
		if subject.Layout == history.NoLayout {
			return // its grants do not name keys
		}
		session, prefix := testetcd.Open(t), testetcd.Prefix(t)
		lock := testetcd.Exclusive(subject, session, prefix)
		for round := range 2 {
			grant := testetcd.MustHold(t, lock.Acquire)
			if !strings.HasPrefix(grant.Key, prefix+"/") || !testetcd.Exists(t, session.Client, grant) {
				t.Errorf("round %d: etcd has no key below %s/ for %+v", round, prefix, grant)
			}
			testetcd.Must(t, lock.Release)
			testetcd.AwaitKeys(t, session.Client, prefix, 0)
		}
	}, "deaf-to-resign")
}

func TestSecondWaitsForTheFirst(t *testing.T) {
	forEach(t, func(t *testing.T, subject workloads.Subject) {
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		release := inTheWay(t, subject, a, prefix)
		second := testetcd.Exclusive(subject, b, prefix)
		waiting := testetcd.StartWaiting(t, b, func() (workloads.Grant, error) { return second.Acquire(testetcd.Within(t)) })
		testetcd.Must(t, release)
		if o := testetcd.Result(t, waiting); o.Err != nil {
			t.Fatal(o.Err)
		}
		testetcd.Must(t, second.Release)
		testetcd.AwaitKeys(t, a.Client, prefix, 0)
	}, "newest-leads", "deaf-to-resign", "accidentally-reentrant", "majority-of-keys", "token-counter-resets", "counter-lock",
		"late-watch") // which sleeps for ever if it is given the lock before it watches
}

func TestGivingUpLeavesNoKey(t *testing.T) {
	forEach(t, func(t *testing.T, subject workloads.Subject) {
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		release := inTheWay(t, subject, a, prefix)
		second := testetcd.Exclusive(subject, b, prefix)
		ctx, cancel := context.WithCancel(testetcd.Within(t))
		defer cancel()
		waiting := testetcd.StartWaiting(t, b, func() (workloads.Grant, error) { return second.Acquire(ctx) })
		cancel()
		o := testetcd.Result(t, waiting)
		if !errors.Is(o.Err, context.Canceled) {
			t.Errorf("gave up with %v, want %v", o.Err, context.Canceled)
		}
		// stale-token's lock is etcd's, whose errors say less.
		if subject.Name != "stale-token" && !workloads.Certain(o.Err) {
			t.Errorf("gave up with %v, want an error that is certain", o.Err)
		}
		if subject.Name == "unlock-by-anyone" { // it deletes the key of the other
			testetcd.AwaitKeys(t, a.Client, prefix, 0)
		} else {
			testetcd.AwaitKeys(t, a.Client, prefix, 1)
		}
		testetcd.Must(t, release)
		testetcd.MustHold(t, second.Acquire) // the object is good for another round
		testetcd.Must(t, second.Release)
	}, "newest-leads", "deaf-to-resign", "accidentally-reentrant", "majority-of-keys", "token-counter-resets", "counter-lock", "deletes-by-prefix", "leaks-on-cancel", "one-key-for-all")
}

func TestLeaseThatEndsDuringTheWaitIsRefused(t *testing.T) {
	forEach(t, func(t *testing.T, subject workloads.Subject) {
		switch subject.Name {
		case "no-lease-check": // that is its bug
			return
		case "no-lease", "short-ttl": // they do not hold on the session's lease
			return
		}
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		release := inTheWay(t, subject, a, prefix)
		second := testetcd.Exclusive(subject, b, prefix)
		waiting := testetcd.StartWaiting(t, b, func() (workloads.Grant, error) { return second.Acquire(testetcd.Within(t)) })
		testetcd.Revoke(t, a, b)
		testetcd.Must(t, release)
		if o := testetcd.Result(t, waiting); !workloads.Certain(o.Err) {
			t.Errorf("acquire: %+v, want an error that is certain", o)
		}
		testetcd.AwaitKeys(t, a.Client, prefix, 0)
	}, "newest-leads", "deaf-to-resign", "accidentally-reentrant", "majority-of-keys", "token-counter-resets", "counter-lock", "breaks-old-locks", "outlived-ttl", "own-lease-lock")
}

func TestReleaseOfALostLockSaysSo(t *testing.T) {
	forEach(t, func(t *testing.T, subject workloads.Subject) {
		switch subject.Name {
		case "unlock-by-anyone": // it deletes whatever there is
			return
		case "stale-token", "split-brain-election": // etcd's, which say nothing
			return
		}
		if subject.Layout == history.NoLayout {
			return // nobody can tell which key to delete
		}
		session := testetcd.Open(t)
		lock := testetcd.Exclusive(subject, session, testetcd.Prefix(t))
		grant := testetcd.MustHold(t, lock.Acquire)
		if _, err := session.Client.Delete(testetcd.Within(t), grant.Key); err != nil {
			t.Fatal(err)
		}
		if err := lock.Release(testetcd.Within(t)); !errors.Is(err, errLost) || !workloads.Certain(err) {
			t.Errorf("release: %v, want %v, which is certain", err, errLost)
		}
	}, "deaf-to-resign", "silent-unlock", "retried-unlock")
}

func TestTryTaken(t *testing.T) {
	forEach(t, func(t *testing.T, subject workloads.Subject) {
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		first, ok := testetcd.Exclusive(subject, a, prefix).(workloads.TryLock)
		if !ok {
			return
		}
		second := testetcd.Exclusive(subject, b, prefix).(workloads.TryLock)
		testetcd.MustHold(t, first.TryAcquire)
		if _, err := second.TryAcquire(testetcd.Within(t)); !errors.Is(err, workloads.ErrTaken) {
			t.Errorf("try while another holds: %v, want %v", err, workloads.ErrTaken)
		}
		testetcd.Must(t, first.Release)
		testetcd.MustHold(t, second.TryAcquire)
		testetcd.Must(t, second.Release)
		testetcd.AwaitKeys(t, a.Client, prefix, 0)
	}, "accidentally-reentrant", "try-leaves-key", "try-waits", "try-from-cache", "token-counter-resets", "counter-lock", "one-key-for-all")
}
