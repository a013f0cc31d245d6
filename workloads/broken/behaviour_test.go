package broken

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// What the subjects do right, apart from the one thing each that they do
// wrong: else another defect than the planted one could be what is found.

func forEach(t *testing.T, test func(t *testing.T, subject workloads.Subject)) {
	for _, subject := range Subjects() {
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
		mustHold(t, lock.AcquireRead)
		return lock.ReleaseRead
	}
	lock := exclusive(subject, s, prefix)
	mustHold(t, lock.Acquire)
	return lock.Release
}

func TestGrantTellsTheKeyAndItsCreateRevision(t *testing.T) {
	forEach(t, func(t *testing.T, subject workloads.Subject) {
		session, prefix := open(t), prefixOf(t)
		lock := exclusive(subject, session, prefix)
		for round := range 2 {
			grant := mustHold(t, lock.Acquire)
			if !strings.HasPrefix(grant.Key, prefix+"/") || !exists(t, session.Client, grant) {
				t.Errorf("round %d: etcd has no key below %s/ for %+v", round, prefix, grant)
			}
			must(t, lock.Release)
			awaitKeys(t, session.Client, prefix, 0)
		}
	})
}

func TestSecondWaitsForTheFirst(t *testing.T) {
	forEach(t, func(t *testing.T, subject workloads.Subject) {
		a, b, prefix := open(t), open(t), prefixOf(t)
		release := inTheWay(t, subject, a, prefix)
		second := exclusive(subject, b, prefix)
		waiting := startWaiting(t, b, func() (workloads.Grant, error) { return second.Acquire(within(t)) })
		must(t, release)
		if o := result(t, waiting); o.err != nil {
			t.Fatal(o.err)
		}
		must(t, second.Release)
		awaitKeys(t, a.Client, prefix, 0)
	})
}

func TestGivingUpLeavesNoKey(t *testing.T) {
	forEach(t, func(t *testing.T, subject workloads.Subject) {
		a, b, prefix := open(t), open(t), prefixOf(t)
		release := inTheWay(t, subject, a, prefix)
		second := exclusive(subject, b, prefix)
		ctx, cancel := context.WithCancel(within(t))
		defer cancel()
		waiting := startWaiting(t, b, func() (workloads.Grant, error) { return second.Acquire(ctx) })
		cancel()
		o := result(t, waiting)
		if !errors.Is(o.err, context.Canceled) {
			t.Errorf("gave up with %v, want %v", o.err, context.Canceled)
		}
		// stale-token's lock is etcd's, whose errors say less.
		if subject.Name != "stale-token" && !workloads.Certain(o.err) {
			t.Errorf("gave up with %v, want an error that is certain", o.err)
		}
		if subject.Name == "unlock-by-anyone" { // it deletes the key of the other
			awaitKeys(t, a.Client, prefix, 0)
		} else {
			awaitKeys(t, a.Client, prefix, 1)
		}
		must(t, release)
		mustHold(t, second.Acquire) // the object is good for another round
		must(t, second.Release)
	})
}

func TestLeaseThatEndsDuringTheWaitIsRefused(t *testing.T) {
	forEach(t, func(t *testing.T, subject workloads.Subject) {
		switch subject.Name {
		case "no-lease-check": // that is its bug
			return
		case "no-lease", "short-ttl": // they do not hold on the session's lease
			return
		}
		a, b, prefix := open(t), open(t), prefixOf(t)
		release := inTheWay(t, subject, a, prefix)
		second := exclusive(subject, b, prefix)
		waiting := startWaiting(t, b, func() (workloads.Grant, error) { return second.Acquire(within(t)) })
		revoke(t, a, b)
		must(t, release)
		if o := result(t, waiting); !workloads.Certain(o.err) {
			t.Errorf("acquire: %+v, want an error that is certain", o)
		}
		awaitKeys(t, a.Client, prefix, 0)
	})
}

func TestReleaseOfALostLockSaysSo(t *testing.T) {
	forEach(t, func(t *testing.T, subject workloads.Subject) {
		switch subject.Name {
		case "unlock-by-anyone": // it deletes whatever there is
			return
		case "stale-token", "split-brain-election": // etcd's, which say nothing
			return
		}
		session := open(t)
		lock := exclusive(subject, session, prefixOf(t))
		grant := mustHold(t, lock.Acquire)
		if _, err := session.Client.Delete(within(t), grant.Key); err != nil {
			t.Fatal(err)
		}
		if err := lock.Release(within(t)); !errors.Is(err, errLost) || !workloads.Certain(err) {
			t.Errorf("release: %v, want %v, which is certain", err, errLost)
		}
	})
}

func TestTryTaken(t *testing.T) {
	forEach(t, func(t *testing.T, subject workloads.Subject) {
		a, b, prefix := open(t), open(t), prefixOf(t)
		first, ok := exclusive(subject, a, prefix).(workloads.TryLock)
		if !ok {
			return
		}
		second := exclusive(subject, b, prefix).(workloads.TryLock)
		mustHold(t, first.TryAcquire)
		if _, err := second.TryAcquire(within(t)); !errors.Is(err, workloads.ErrTaken) {
			t.Errorf("try while another holds: %v, want %v", err, workloads.ErrTaken)
		}
		must(t, first.Release)
		mustHold(t, second.TryAcquire)
		must(t, second.Release)
		awaitKeys(t, a.Client, prefix, 0)
	})
}
