package recipes

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// Every subject of this package is an exclusive lock in one way or another;
// what it promises as such is tested here.

func forEach(t *testing.T, test func(t *testing.T, subject workloads.Subject)) {
	forSome(t, func(workloads.Subject) bool { return true }, test)
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
		for _, there := range []bool{s.NewLock != nil, s.NewRWLock != nil, s.NewElection != nil} {
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
		session, prefix := open(t), prefixOf(t)
		lock := exclusive(subject, session, prefix)
		for round := range 2 {
			grant := mustHold(t, lock.Acquire)
			if !strings.HasPrefix(grant.Key, prefix+"/") || grant.Token == 0 {
				t.Fatalf("round %d: grant is %+v, want a key below %s/ and a token: does etcd still keep them where we look?", round, grant, prefix)
			}
			if !exists(t, session.Client, grant) {
				t.Errorf("round %d: etcd has no key %q of create revision %d", round, grant.Key, grant.Token)
			}
			must(t, lock.Release)
			awaitKeys(t, session.Client, prefix, 0)
		}
	})
}

func TestSecondWaitsForTheFirst(t *testing.T) {
	forEach(t, func(t *testing.T, subject workloads.Subject) {
		a, b, prefix := open(t), open(t), prefixOf(t)
		first, second := exclusive(subject, a, prefix), exclusive(subject, b, prefix)
		older := mustHold(t, first.Acquire)
		waiting := startWaiting(t, b, func() (workloads.Grant, error) { return second.Acquire(within(t)) })
		select {
		case o := <-waiting:
			t.Fatalf("the second returned %+v while the first held", o)
		default:
		}
		must(t, first.Release)
		younger := result(t, waiting)
		if younger.err != nil {
			t.Fatal(younger.err)
		}
		if younger.grant.Token <= older.Token {
			t.Errorf("the later owner has token %d, the earlier one had %d", younger.grant.Token, older.Token)
		}
		must(t, second.Release)
		awaitKeys(t, a.Client, prefix, 0)
	})
}

func TestGivingUpLeavesNoKey(t *testing.T) {
	ends := map[string]func(ctx context.Context) (context.Context, context.CancelFunc){
		"deadline": func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 2*time.Second)
		},
		"cancellation": context.WithCancel,
	}
	takesContext := func(s workloads.Subject) bool { return !s.Blocking }
	forSome(t, takesContext, func(t *testing.T, subject workloads.Subject) {
		for name, end := range ends {
			t.Run(name, func(t *testing.T) {
				a, b, prefix := open(t), open(t), prefixOf(t)
				first, second := exclusive(subject, a, prefix), exclusive(subject, b, prefix)
				mustHold(t, first.Acquire)
				ctx, cancel := end(within(t))
				defer cancel()
				waiting := startWaiting(t, b, func() (workloads.Grant, error) { return second.Acquire(ctx) })
				if name == "cancellation" {
					cancel()
				}
				if o := result(t, waiting); o.err == nil || !errors.Is(o.err, ctx.Err()) {
					t.Errorf("gave up with %v, want %v", o.err, ctx.Err())
				}
				awaitKeys(t, a.Client, prefix, 1)
				must(t, first.Release)
				// The object is good for another round.
				mustHold(t, second.Acquire)
				must(t, second.Release)
			})
		}
	})
}

func TestGuardHoldsWhileTheKeyExists(t *testing.T) {
	forEach(t, func(t *testing.T, subject workloads.Subject) {
		session, prefix := open(t), prefixOf(t)
		lock := exclusive(subject, session, prefix)
		guard := lock.(workloads.Guard)
		owns := func() bool {
			t.Helper()
			reply, err := session.Client.Txn(within(t)).If(guard.IsOwner()).Commit()
			if err != nil {
				t.Fatal(err)
			}
			return reply.Succeeded
		}
		grant := mustHold(t, lock.Acquire)
		if !owns() {
			t.Error("the guard fails while the lock is held")
		}
		if _, err := session.Client.Delete(within(t), grant.Key); err != nil {
			t.Fatal(err)
		}
		if owns() {
			t.Error("the guard holds although the key was deleted")
		}
		// Somebody else's key of the same name is not the caller's.
		if _, err := session.Client.Put(within(t), grant.Key, "", clientv3.WithLease(session.Session.Lease())); err != nil {
			t.Fatal(err)
		}
		if owns() {
			t.Error("the guard holds although the key is another one of the same name")
		}
	})
}

func TestLeaseThatEndedIsRefusedForCertain(t *testing.T) {
	forEach(t, func(t *testing.T, subject workloads.Subject) {
		a, b, prefix := open(t), open(t), prefixOf(t)
		revoke(t, b, a)
		if _, err := exclusive(subject, a, prefix).Acquire(within(t)); err == nil || !workloads.Certain(err) {
			t.Errorf("acquire on a lease that ended: %v, want an error that is certain", err)
		}
		awaitKeys(t, b.Client, prefix, 0)
	})
}

func TestClosedClientLeavesItUnknown(t *testing.T) {
	forEach(t, func(t *testing.T, subject workloads.Subject) {
		a, b, prefix := open(t), open(t), prefixOf(t)
		first, second := exclusive(subject, a, prefix), exclusive(subject, b, prefix)
		mustHold(t, first.Acquire)
		waiting := startWaiting(t, b, func() (workloads.Grant, error) { return second.Acquire(within(t)) })
		if err := b.Client.Close(); err != nil {
			t.Fatal(err)
		}
		if o := result(t, waiting); o.err == nil || workloads.Certain(o.err) {
			t.Errorf("the client was closed during the wait: %v, want an error that is not certain", o.err)
		}
		must(t, first.Release)
	})
}
