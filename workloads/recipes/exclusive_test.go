package recipes

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

// Most subjects of this package are exclusive locks in one way or another; what
// they promise as such is tested here.

func exclusive(s workloads.Subject) bool {
	return s.NewLock != nil || s.NewRWLock != nil || s.NewElection != nil || s.NewSemaphore != nil
}

// watches is true if a waiter's own client watches, which tells that it waits.
func watches(s workloads.Subject) bool { return exclusive(s) && !strings.HasPrefix(s.Name, "v3") }

func forEach(t *testing.T, test func(t *testing.T, subject workloads.Subject)) {
	forSome(t, exclusive, test)
}

func forSome(t *testing.T, chosen func(workloads.Subject) bool, test func(t *testing.T, subject workloads.Subject)) {
	for _, subject := range Subjects() {
		if !chosen(subject) {
			continue
		}
		t.Run(subject.Name, func(t *testing.T) {
			t.Parallel()
			test(t, subject)
		})
	}
}

func TestNamesAreUniqueAndConstructorsSingle(t *testing.T) {
	seen := make(map[string]bool)
	for _, s := range Subjects() {
		if seen[s.Name] {
			t.Errorf("two subjects are named %s", s.Name)
		}
		seen[s.Name] = true
		constructors := 0
		for _, there := range []bool{
			s.NewLock != nil, s.NewRWLock != nil, s.NewElection != nil,
			s.NewSemaphore != nil, s.NewService != nil, s.NewBank != nil, s.NewRegister != nil,
			s.NewQueue != nil, s.NewPriorityQueue != nil, s.NewBarrier != nil, s.NewDoubleBarrier != nil,
		} {
			if there {
				constructors++
			}
		}
		if constructors != 1 {
			t.Errorf("%s has %d constructors, want 1", s.Name, constructors)
		}
	}
}

// The key and the token are read from where etcd does not mean to show them.
// This fails when a version of etcd keeps them elsewhere.
func TestGrantTellsTheKeyAndItsCreateRevision(t *testing.T) {
	forEach(t, func(t *testing.T, subject workloads.Subject) {
		session, prefix := testetcd.Open(t), testetcd.Prefix(t)
		lock := testetcd.Exclusive(subject, session, prefix)
		for round := range 2 {
			grant := testetcd.MustHold(t, lock.Acquire)
			if !strings.HasPrefix(grant.Key, prefix+"/") || grant.Token == 0 {
				t.Fatalf("round %d: grant is %+v, want a key below %s/ and a token: does etcd still keep them where we look?", round, grant, prefix)
			}
			if !testetcd.Exists(t, session.Client, grant) {
				t.Errorf("round %d: etcd has no key %q of create revision %d", round, grant.Key, grant.Token)
			}
			testetcd.Must(t, lock.Release)
			testetcd.AwaitKeys(t, session.Client, prefix, 0)
		}
	})
}

func TestSecondWaitsForTheFirst(t *testing.T) {
	forSome(t, watches, func(t *testing.T, subject workloads.Subject) {
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		first, second := testetcd.Exclusive(subject, a, prefix), testetcd.Exclusive(subject, b, prefix)
		older := testetcd.MustHold(t, first.Acquire)
		waiting := testetcd.StartWaiting(t, b, func() (workloads.Grant, error) { return second.Acquire(testetcd.Within(t)) })
		select {
		case o := <-waiting:
			t.Fatalf("the second returned %+v while the first held", o)
		default:
		}
		testetcd.Must(t, first.Release)
		younger := testetcd.Result(t, waiting)
		if younger.Err != nil {
			t.Fatal(younger.Err)
		}
		if younger.Grant.Token <= older.Token {
			t.Errorf("the later owner has token %d, the earlier one had %d", younger.Grant.Token, older.Token)
		}
		testetcd.Must(t, second.Release)
		testetcd.AwaitKeys(t, a.Client, prefix, 0)
	})
}

func TestGivingUpLeavesNoKey(t *testing.T) {
	ends := map[string]func(ctx context.Context) (context.Context, context.CancelFunc){
		"deadline": func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 2*time.Second)
		},
		"cancellation": context.WithCancel,
	}
	takesContext := func(s workloads.Subject) bool { return watches(s) && !s.Blocking }
	forSome(t, takesContext, func(t *testing.T, subject workloads.Subject) {
		for name, end := range ends {
			t.Run(name, func(t *testing.T) {
				a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
				first, second := testetcd.Exclusive(subject, a, prefix), testetcd.Exclusive(subject, b, prefix)
				testetcd.MustHold(t, first.Acquire)
				ctx, cancel := end(testetcd.Within(t))
				defer cancel()
				waiting := testetcd.StartWaiting(t, b, func() (workloads.Grant, error) { return second.Acquire(ctx) })
				if name == "cancellation" {
					cancel()
				}
				if o := testetcd.Result(t, waiting); o.Err == nil || !errors.Is(o.Err, ctx.Err()) {
					t.Errorf("gave up with %v, want %v", o.Err, ctx.Err())
				}
				testetcd.AwaitKeys(t, a.Client, prefix, 1)
				testetcd.Must(t, first.Release)
				// The object is good for another round.
				testetcd.MustHold(t, second.Acquire)
				testetcd.Must(t, second.Release)
			})
		}
	})
}

func TestGuardHoldsWhileTheKeyExists(t *testing.T) {
	forEach(t, func(t *testing.T, subject workloads.Subject) {
		session, prefix := testetcd.Open(t), testetcd.Prefix(t)
		lock := testetcd.Exclusive(subject, session, prefix)
		guard := lock.(workloads.Guard)
		owns := func() bool {
			t.Helper()
			reply, err := session.Client.Txn(testetcd.Within(t)).If(guard.IsOwner()).Commit()
			if err != nil {
				t.Fatal(err)
			}
			return reply.Succeeded
		}
		grant := testetcd.MustHold(t, lock.Acquire)
		if !owns() {
			t.Error("the guard fails while the lock is held")
		}
		if _, err := session.Client.Delete(testetcd.Within(t), grant.Key); err != nil {
			t.Fatal(err)
		}
		if owns() {
			t.Error("the guard holds although the key was deleted")
		}
		// Somebody else's key of the same name is not the caller's.
		if _, err := session.Client.Put(testetcd.Within(t), grant.Key, "", clientv3.WithLease(session.Session.Lease())); err != nil {
			t.Fatal(err)
		}
		if owns() {
			t.Error("the guard holds although the key is another one of the same name")
		}
	})
}

func TestLeaseThatEndedIsRefusedForCertain(t *testing.T) {
	forEach(t, func(t *testing.T, subject workloads.Subject) {
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		testetcd.Revoke(t, b, a)
		if _, err := testetcd.Exclusive(subject, a, prefix).Acquire(testetcd.Within(t)); err == nil || !workloads.Certain(err) {
			t.Errorf("acquire on a lease that ended: %v, want an error that is certain", err)
		}
		testetcd.AwaitKeys(t, b.Client, prefix, 0)
	})
}

func TestClosedClientLeavesItUnknown(t *testing.T) {
	forSome(t, watches, func(t *testing.T, subject workloads.Subject) {
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		first, second := testetcd.Exclusive(subject, a, prefix), testetcd.Exclusive(subject, b, prefix)
		testetcd.MustHold(t, first.Acquire)
		waiting := testetcd.StartWaiting(t, b, func() (workloads.Grant, error) { return second.Acquire(testetcd.Within(t)) })
		if err := b.Client.Close(); err != nil {
			t.Fatal(err)
		}
		if o := testetcd.Result(t, waiting); o.Err == nil || workloads.Certain(o.Err) {
			t.Errorf("the client was closed during the wait: %v, want an error that is not certain", o.Err)
		}
		testetcd.Must(t, first.Release)
	})
}
