package recipes

import (
	"context"
	"errors"
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
		{subject: "locker"},
		{subject: "rwmutex", lies: true},
		{subject: "rwmutex", read: true, lies: true},
		{subject: "rwmutex-checked"},
		{subject: "rwmutex-checked", read: true},
		{subject: "election", lies: true},
		{subject: "election-checked"},
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

// failingReads fails reads of single keys: of all that the checked subjects
// send, only the check is one.
type failingReads struct {
	clientv3.KV
	fail func(ctx context.Context) error
}

func (kv failingReads) Get(ctx context.Context, key string, options ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	if len(options) == 0 {
		if err := kv.fail(ctx); err != nil {
			return nil, err
		}
	}
	return kv.KV.Get(ctx, key, options...)
}

func TestCheckThatFailsLeavesNoKey(t *testing.T) {
	for _, name := range []string{"rwmutex-checked", "election-checked"} {
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

			// The context ends just before the check: the check must heed it,
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
