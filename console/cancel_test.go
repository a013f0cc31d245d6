package console

import (
	"context"
	"errors"
	"testing"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// A command that is cancelled leaves nothing behind, and the object can be used
// again, whether etcd's call takes a context or not.
func TestCancel(t *testing.T) {
	for _, test := range []struct{ primitive, hold, wait, release string }{
		{"mutex", "lock", "lock", "unlock"},
		{"locker", "lock", "lock", "unlock"},
		{"election", "elect", "elect", "resign"},
		{"election-checked", "elect", "elect", "resign"},
		{"rwmutex", "w", "r", "release"},
		{"rwmutex", "r", "w", "release"},
		{"rwmutex-checked", "w", "w", "release"},
	} {
		t.Run(test.primitive+" "+test.wait, func(t *testing.T) {
			etcd, a, b := observer(t), sit(t, test.primitive, "a"), sit(t, test.primitive, "b")
			a.types(test.hold)
			for _, cancel := range []func(){
				func() { b.types("cancel") },
				func() { b.types("cancel " + test.wait) },
				b.Interrupt,
			} {
				b.types(test.wait)
				b.sees(`b waits with key`)
				cancel()
				b.types("await")
				b.sees(test.wait + ` is cancelled: .*(deleted|is left as of)`)
				if keys := keysOf(t, etcd, a); len(keys) != 1 {
					t.Fatalf("etcd has %q, want that of a alone", keys)
				}
			}
			if b.Failures() != 0 {
				t.Error("a cancelled command counts as failed")
			}
			a.types(test.release)
			b.types(test.wait, test.release)
			b.sees(`b no longer .*: key \S+ deleted at rev`)
		})
	}
}

// With a timeout it is the same, but that the command has failed.
func TestTimeout(t *testing.T) {
	for _, test := range []struct{ primitive, line, hold string }{
		{"mutex", "lock", "lock"}, {"locker", "lock", "lock"}, {"rwmutex", "r", "w"}, {"rwmutex", "w", "r"},
	} {
		t.Run(test.primitive+" "+test.line, func(t *testing.T) {
			etcd, a, b := observer(t), sit(t, test.primitive, "a"), sit(t, test.primitive, "b")
			a.types(test.hold)
			_ = b.Execute(test.line + " 50ms") // which may end before it is found waiting
			b.types("await")
			b.sees(test.line + `: not had within 50ms; .*(deleted|is left as of)`)
			if b.Failures() != 1 {
				t.Errorf("%d commands failed, want 1", b.Failures())
			}
			if keys := keysOf(t, etcd, a); len(keys) != 1 {
				t.Errorf("etcd has %q, want that of a alone", keys)
			}
		})
	}
}

func TestCancelOfWhatHasNoKey(t *testing.T) {
	a := sit(t, "barrier", "a")
	a.types("hold", "wait")
	a.sees(`a waits for the end of`)
	a.types("cancel", "await")
	a.sees(`wait is cancelled`)
	a.hasNotSeen("passed")
	_ = a.Execute("wait 20ms")
	a.types("await")
	a.sees(`wait: not had within 20ms`)
	a.types("release")

	b := sit(t, "queue", "b")
	b.types("take", "cancel", "await")
	b.sees(`take is cancelled: nothing was taken`)
	_ = b.Execute("take 20ms")
	b.types("await")
	b.sees(`take: not had within 20ms`)
	b.hasNotSeen("panic")
	b.types("put one", "take")
	b.sees(`b took "one"`)
}

// The library's clean-up of a mutex ignores the deadline: a console that is cut
// off says so, and the command ends with the heal.
func TestCancelWhileCut(t *testing.T) {
	etcd, a, b := observer(t), sit(t, "mutex", "a"), sit(t, "mutex", "b")
	a.types("lock")
	b.types("lock", "cut", "cancel")
	b.sees(`lock is being cancelled: etcd's library tidies up with the client's own context`)
	b.types("heal", "await")
	b.sees(`lock is cancelled: `)
	if keys := keysOf(t, etcd, a); len(keys) != 1 {
		t.Errorf("etcd has %q, want that of a alone", keys)
	}
}

func TestInterruptOfNothing(t *testing.T) {
	a := sit(t, "mutex", "a")
	a.Interrupt()
	a.sees(`nothing runs; Ctrl-D or quit leaves`)
	if err := a.Execute("cancel"); err == nil {
		t.Error("cancelled nothing")
	}
	a.sees(`cancel: nothing runs`)
	if err := a.Execute("cancel lock"); err == nil {
		t.Error("cancelled nothing")
	}
	a.sees(`cancel: nothing runs by the name lock`)
}

func TestInterruptOfAForegroundCommand(t *testing.T) {
	a := sit(t, "mutex", "a")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = a.Execute("await keys 7")
	}()
	a.runs("await")
	a.Interrupt()
	<-ended
	a.sees(`await is cancelled`)
}

// brokenKV gives up every write.
type brokenKV struct {
	clientv3.KV
	err error
}

func (kv brokenKV) Delete(context.Context, string, ...clientv3.OpOption) (*clientv3.DeleteResponse, error) {
	return nil, kv.err
}

func (kv brokenKV) Txn(context.Context) clientv3.Txn { return brokenTxn{kv.err} }

type brokenTxn struct{ err error }

func (t brokenTxn) If(...clientv3.Cmp) clientv3.Txn        { return t }
func (t brokenTxn) Then(...clientv3.Op) clientv3.Txn       { return t }
func (t brokenTxn) Else(...clientv3.Op) clientv3.Txn       { return t }
func (t brokenTxn) Commit() (*clientv3.TxnResponse, error) { return nil, t.err }

// A write that was given up may have been done: nobody must be told that it was not.
func TestWritesThatWereGivenUp(t *testing.T) {
	broken := errors.New("the connection is lost")
	for name, send := range map[string]func(heardKV) error{
		"delete": func(kv heardKV) error { _, err := kv.Delete(t.Context(), "key"); return err },
		"transaction": func(kv heardKV) error {
			_, err := kv.Txn(t.Context()).Then(clientv3.OpDelete("key")).Commit()
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			j := newJob(t.Context(), &command{})
			defer j.cancel(nil)
			kv := heardKV{brokenKV{err: broken}, listener{job: func(context.Context) *job { return j }, bounds: true}}
			if err := send(kv); !errors.Is(err, broken) {
				t.Errorf("err: %v, want %v", err, broken)
			}
			if !j.unsure {
				t.Error("nobody knows, and the command does not know that")
			}
			if _, ok := j.last(true); ok {
				t.Error("a write is told that nobody answered to")
			}
		})
	}
}

// Only the branch of a transaction that was taken counts.
func TestBranchOfATransaction(t *testing.T) {
	j := newJob(t.Context(), &command{})
	defer j.cancel(nil)
	txn := &heardTxn{Txn: answeredTxn{succeeded: false}, job: j, release: func() {}}
	if _, err := txn.Then(clientv3.OpPut("then", "")).Else(clientv3.OpPut("else", "")).Commit(); err != nil {
		t.Fatal(err)
	}
	if w, _ := j.last(false); w.key != "else" || w.revision != 7 {
		t.Errorf("told of %+v, want the put of else at rev 7", w)
	}
}

// answeredTxn answers at revision 7.
type answeredTxn struct {
	brokenTxn
	succeeded bool
}

func (t answeredTxn) Then(...clientv3.Op) clientv3.Txn { return t }
func (t answeredTxn) Else(...clientv3.Op) clientv3.Txn { return t }
func (t answeredTxn) Commit() (*clientv3.TxnResponse, error) {
	return &clientv3.TxnResponse{
		Header: &etcdserverpb.ResponseHeader{Revision: 7}, Succeeded: t.succeeded,
		Responses: []*etcdserverpb.ResponseOp{{}},
	}, nil
}
