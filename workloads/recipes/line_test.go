package recipes

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

// A holds, B waits, B's lease ends, A releases. B has no key any more and must
// not be told that it holds. These are etcd#16221 (rwmutex) and etcd#19597
// (election): the plain recipes say yes, the checked ones no. When a plain one
// says no, etcd has been corrected, and its twin has done its duty.
func TestLeaseThatEndsDuringTheWait(t *testing.T) {
	for _, test := range []struct {
		subject string
		read    bool
		lies    bool
	}{
		{subject: "mutex"},
		{subject: "mutex-checked"},
		{subject: "locker"},
		{subject: "rwmutex", lies: true},
		{subject: "rwmutex", read: true, lies: true},
		{subject: "rwmutex-checked"},
		{subject: "rwmutex-checked", read: true},
		{subject: "election", lies: true},
		{subject: "election-checked"},
		{subject: "semaphore"},
	} {
		name := test.subject
		if test.read {
			name += " for reading"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
			subject := testetcd.Named(t, Subjects(), test.subject)
			holder, waiter := testetcd.Exclusive(subject, a, prefix), testetcd.Exclusive(subject, b, prefix)
			acquire := waiter.Acquire
			if test.read {
				acquire = waiter.(workloads.RWLock).AcquireRead
			}
			testetcd.MustHold(t, holder.Acquire)
			waiting := testetcd.StartWaiting(t, b, func() (workloads.Grant, error) { return acquire(testetcd.Within(t)) })
			testetcd.Revoke(t, a, b)
			testetcd.AwaitKeys(t, a.Client, prefix, 1)
			testetcd.Must(t, holder.Release)

			o := testetcd.Result(t, waiting)
			switch {
			case test.lies && o.Err != nil:
				t.Errorf("the plain recipe refused: %v: is it corrected?", o.Err)
			case test.lies && (o.Grant.Key == "" || testetcd.Exists(t, a.Client, o.Grant)):
				t.Errorf("the grant is %+v, want one whose key is gone", o.Grant)
			case !test.lies && o.Err == nil:
				t.Errorf("told that it holds with %+v, whose key is gone", o.Grant)
			case !test.lies && !workloads.Certain(o.Err):
				t.Errorf("refused with %v, want an error that is certain", o.Err)
			}
			testetcd.AwaitKeys(t, a.Client, prefix, 0)
		})
	}
}

// failingReads fails reads of many keys: those by which the corrected subjects
// look at the line.
type failingReads struct {
	clientv3.KV
	fail func(ctx context.Context) error
}

func (kv failingReads) Get(ctx context.Context, key string, options ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	if len(options) > 0 {
		if err := kv.fail(ctx); err != nil {
			return nil, err
		}
	}
	return kv.KV.Get(ctx, key, options...)
}

func TestLookThatFailsLeavesNoKey(t *testing.T) {
	for _, name := range []string{"mutex-checked", "rwmutex-checked", "election-checked", "semaphore"} {
		t.Run(name, func(t *testing.T) {
			a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
			lock := testetcd.Exclusive(testetcd.Named(t, Subjects(), name), a, prefix)
			kv := a.Client.KV

			broken := errors.New("the read failed")
			a.Client.KV = failingReads{kv, func(context.Context) error { return broken }}
			if _, err := lock.Acquire(testetcd.Within(t)); !errors.Is(err, broken) || workloads.Certain(err) {
				t.Errorf("acquire: %v, want %v, which is not certain", err, broken)
			}
			testetcd.AwaitKeys(t, b.Client, prefix, 0)

			// The context ends just before the look: the look must heed it,
			// and the key must go all the same.
			ctx, cancel := context.WithCancel(testetcd.Within(t))
			defer cancel()
			a.Client.KV = failingReads{kv, func(context.Context) error { cancel(); return nil }}
			if _, err := lock.Acquire(ctx); err == nil || workloads.Certain(err) {
				t.Errorf("acquire with a context that is over: %v, want an error that is not certain", err)
			}
			testetcd.AwaitKeys(t, b.Client, prefix, 0)

			a.Client.KV = kv
			testetcd.MustHold(t, lock.Acquire)
			testetcd.Must(t, lock.Release)
		})
	}
}

// losingAnswers makes a Txn or Delete whose turn it is and then loses its
// answer, and what comes after it until the link is mended.
type losingAnswers struct {
	clientv3.KV
	lost *atomic.Bool
}

var errLostAnswer = errors.New("the answer was lost")

func (kv losingAnswers) Txn(ctx context.Context) clientv3.Txn {
	return losingTxn{kv.KV.Txn(ctx), kv.lost}
}

func (kv losingAnswers) Delete(ctx context.Context, key string, options ...clientv3.OpOption) (*clientv3.DeleteResponse, error) {
	if kv.lost.Load() {
		return nil, errLostAnswer
	}
	return kv.KV.Delete(ctx, key, options...)
}

type losingTxn struct {
	clientv3.Txn
	lost *atomic.Bool
}

func (t losingTxn) If(cs ...clientv3.Cmp) clientv3.Txn { return losingTxn{t.Txn.If(cs...), t.lost} }
func (t losingTxn) Then(ops ...clientv3.Op) clientv3.Txn {
	return losingTxn{t.Txn.Then(ops...), t.lost}
}

func (t losingTxn) Commit() (*clientv3.TxnResponse, error) {
	reply, err := t.Txn.Commit()
	if t.lost.Load() {
		return nil, errLostAnswer
	}
	return reply, err
}

// The answer to the first request is lost, and nothing gets through for a
// while: the key is in etcd and the caller does not know. What it left is gone
// after its next release or before its next acquire.
func TestKeyOfALostAnswerIsTakenAwayLater(t *testing.T) {
	for _, name := range []string{"mutex-checked", "rwmutex-checked", "election-checked", "semaphore"} {
		for _, next := range []string{"release", "acquire"} {
			t.Run(name+" then "+next, func(t *testing.T) {
				a, prefix := testetcd.Open(t), testetcd.Prefix(t)
				lock := testetcd.Exclusive(testetcd.Named(t, Subjects(), name), a, prefix)
				kv, lost := a.Client.KV, new(atomic.Bool)
				lost.Store(true)
				a.Client.KV = losingAnswers{kv, lost}
				if _, err := lock.Acquire(testetcd.Within(t)); !errors.Is(err, errLostAnswer) || workloads.Certain(err) {
					t.Fatalf("acquire: %v, want that its answer was lost, which is not certain", err)
				}
				testetcd.AwaitKeys(t, a.Client, prefix, 1)
				lost.Store(false)
				if next == "release" {
					if err := lock.Release(testetcd.Within(t)); err == nil || !workloads.Certain(err) {
						t.Errorf("release: %v, want that nothing is held", err)
					}
					testetcd.AwaitKeys(t, a.Client, prefix, 0)
					return
				}
				testetcd.MustHold(t, lock.Acquire)
				testetcd.AwaitKeys(t, a.Client, prefix, 1)
				testetcd.Must(t, lock.Release)
			})
		}
	}
}

// The answer to a release is lost: it can be made again, and does not touch what
// another object on the same session has acquired meanwhile (etcd#22082).
func TestReleaseCanBeRepeated(t *testing.T) {
	for _, name := range []string{"mutex-checked", "rwmutex-checked", "election-checked", "semaphore"} {
		t.Run(name, func(t *testing.T) {
			a, prefix := testetcd.Open(t), testetcd.Prefix(t)
			subject := testetcd.Named(t, Subjects(), name)
			first, second := testetcd.Exclusive(subject, a, prefix), testetcd.Exclusive(subject, a, prefix)
			testetcd.MustHold(t, first.Acquire)
			kv, lost := a.Client.KV, new(atomic.Bool)
			lost.Store(true)
			a.Client.KV = losingAnswers{kv, lost}
			if err := first.Release(testetcd.Within(t)); !errors.Is(err, errLostAnswer) {
				t.Fatalf("release: %v, want that its answer was lost", err)
			}
			lost.Store(false)
			grant, err := second.Acquire(testetcd.Within(t))
			testetcd.Must(t, func(context.Context) error { return err })
			testetcd.Must(t, first.Release)
			if !testetcd.Exists(t, a.Client, grant) {
				t.Error("the late release deleted the key of the second acquire")
			}
			testetcd.Must(t, second.Release)
		})
	}
}

// An object waits for its own keys only: not for those of one whose name goes on
// with "/", and two objects on one session wait for each other.
func TestWhoWaitsForWhom(t *testing.T) {
	for _, name := range []string{"mutex-checked", "rwmutex-checked", "election-checked", "semaphore"} {
		t.Run(name, func(t *testing.T) {
			a, prefix := testetcd.Open(t), testetcd.Prefix(t)
			subject := testetcd.Named(t, Subjects(), name)
			inner, outer := testetcd.Exclusive(subject, a, prefix+"/inner"), testetcd.Exclusive(subject, a, prefix)
			testetcd.MustHold(t, inner.Acquire)
			testetcd.MustHold(t, outer.Acquire)
			again := testetcd.Exclusive(subject, a, prefix)
			ctx, cancel := context.WithTimeout(testetcd.Within(t), patience)
			defer cancel()
			if _, err := again.Acquire(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a second object on the session: %v, want that it waits", err)
			}
			testetcd.Must(t, outer.Release)
			testetcd.Must(t, inner.Release)
		})
	}
}

// A waiter whose session is over while its lease lives on waits no longer, and
// leaves no key.
func TestWaitEndsWithTheSession(t *testing.T) {
	for _, name := range []string{"mutex-checked", "rwmutex-checked", "election-checked"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
			subject := testetcd.Named(t, Subjects(), name)
			holder, waiter := testetcd.Exclusive(subject, a, prefix), testetcd.Exclusive(subject, b, prefix)
			testetcd.MustHold(t, holder.Acquire)
			waiting := testetcd.StartWaiting(t, b, func() (workloads.Grant, error) { return waiter.Acquire(testetcd.Within(t)) })
			b.Session.Orphan()
			if o := testetcd.Result(t, waiting); !errors.Is(o.Err, errSessionOver) || workloads.Certain(o.Err) {
				t.Errorf("the wait ended with %v, want %v, uncertain", o.Err, errSessionOver)
			}
			testetcd.AwaitKeys(t, a.Client, prefix, 1)
			testetcd.Must(t, holder.Release)
		})
	}
}
