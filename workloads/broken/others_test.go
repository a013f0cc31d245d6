package broken

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

// What is wrong with the subjects that are neither lock nor election, and what
// is right apart from it.

func TestSemaphoresLetIn(t *testing.T) {
	for name, atLeast := range map[string]int{"semaphore-off-by-one": 3, "semaphore-counts-first": 2, "semaphore-without-lease": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			prefix := testetcd.Prefix(t)
			subject := testetcd.Named(t, Subjects(), name)
			var held []workloads.Semaphore
			for range atLeast {
				s := testetcd.Open(t)
				semaphore := subject.NewSemaphore(s, prefix, 2)
				grant := testetcd.MustHold(t, semaphore.Acquire)
				if !testetcd.Exists(t, s.Client, grant) {
					t.Errorf("there is no key for %+v", grant)
				}
				held = append(held, semaphore)
			}
			next := testetcd.Open(t)
			one := subject.NewSemaphore(next, prefix, 2)
			ctx, cancel := context.WithCancel(testetcd.Within(t))
			defer cancel()
			waiting := testetcd.StartWaiting(t, next, func() (workloads.Grant, error) { return one.Acquire(ctx) })
			cancel()
			if o := testetcd.Result(t, waiting); !errors.Is(o.Err, context.Canceled) || !workloads.Certain(o.Err) {
				t.Errorf("gave up with %v, want a cancellation that is certain", o.Err)
			}
			testetcd.AwaitKeys(t, next.Client, prefix, atLeast)
			waiting = testetcd.StartWaiting(t, next, func() (workloads.Grant, error) { return one.Acquire(testetcd.Within(t)) })
			testetcd.Must(t, held[0].Release)
			if o := testetcd.Result(t, waiting); o.Err != nil {
				t.Fatal(o.Err)
			}
			testetcd.Must(t, one.Release)
			for _, semaphore := range held[1:] {
				testetcd.Must(t, semaphore.Release)
			}
			testetcd.AwaitKeys(t, next.Client, prefix, 0)
		})
	}
}

// beforePut makes a client call something before its first transaction.
type beforePut struct {
	clientv3.KV
	call func()
}

func (k *beforePut) Txn(ctx context.Context) clientv3.Txn {
	if call := k.call; call != nil {
		k.call = nil
		call()
	}
	return k.KV.Txn(ctx)
}

func (k *beforePut) Put(ctx context.Context, key, value string, options ...clientv3.OpOption) (*clientv3.PutResponse, error) {
	if call := k.call; call != nil {
		k.call = nil
		call()
	}
	return k.KV.Put(ctx, key, value, options...)
}

func TestSemaphoreCountsFirstAndTwoGetIn(t *testing.T) {
	a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
	subject := testetcd.Named(t, Subjects(), "semaphore-counts-first")
	second := subject.NewSemaphore(b, prefix, 1)
	a.Client.KV = &beforePut{a.Client.KV, func() { testetcd.MustHold(t, second.Acquire) }}
	testetcd.MustHold(t, subject.NewSemaphore(a, prefix, 1).Acquire)
	testetcd.AwaitKeys(t, a.Client, prefix, 2)
}

func TestSemaphoreWithoutLeaseKeepsThePermitOfTheDead(t *testing.T) {
	a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
	subject := testetcd.Named(t, Subjects(), "semaphore-without-lease")
	grant := testetcd.MustHold(t, subject.NewSemaphore(a, prefix, 1).Acquire)
	testetcd.Revoke(t, b, a)
	if !testetcd.Exists(t, b.Client, grant) {
		t.Error("the permit is back")
	}
}

func TestBarrierGivesUp(t *testing.T) {
	s, prefix := testetcd.Open(t), testetcd.Prefix(t)
	barrier := testetcd.Named(t, Subjects(), "barrier-gives-up").NewBarrier(s, prefix)
	testetcd.Must(t, barrier.Block)
	testetcd.Must(t, barrier.Pass) // the bug
	ctx, cancel := context.WithCancel(testetcd.Within(t))
	cancel()
	if err := barrier.Pass(ctx); !errors.Is(err, context.Canceled) || !workloads.Certain(err) {
		t.Errorf("pass with a context that is over: %v", err)
	}
	testetcd.Must(t, barrier.Unblock)
	testetcd.Must(t, barrier.Pass)
}

// afterGet makes a client call something after its first read.
type afterGet struct {
	clientv3.KV
	call func()
}

func (k *afterGet) Get(ctx context.Context, key string, options ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	reply, err := k.KV.Get(ctx, key, options...)
	if call := k.call; call != nil {
		k.call = nil
		call()
	}
	return reply, err
}

func TestBarriersWaiters(t *testing.T) {
	s, prefix := testetcd.Open(t), testetcd.Prefix(t)
	early := testetcd.Named(t, Subjects(), "barrier-first-answer").NewBarrier(s, prefix)
	testetcd.Must(t, early.Pass)
	testetcd.Must(t, early.Block)
	testetcd.Must(t, early.Pass) // the bug
	testetcd.Must(t, early.Unblock)

	stale := testetcd.Named(t, Subjects(), "barrier-stale-look")
	a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
	one, two := stale.NewBarrier(a, prefix), stale.NewBarrier(b, prefix)
	testetcd.Must(t, two.Pass)
	testetcd.Must(t, one.Block)
	ctx, cancel := context.WithCancel(testetcd.Within(t))
	defer cancel()
	waiting := testetcd.StartWaiting(t, b, func() (workloads.Grant, error) { return workloads.Grant{}, two.Pass(ctx) })
	cancel()
	if o := testetcd.Result(t, waiting); !errors.Is(o.Err, context.Canceled) || !workloads.Certain(o.Err) {
		t.Errorf("gave up with %v, want a cancellation that is certain", o.Err)
	}
	waiting = testetcd.StartWaiting(t, b, func() (workloads.Grant, error) { return workloads.Grant{}, two.Pass(testetcd.Within(t)) })
	testetcd.Must(t, one.Unblock)
	if o := testetcd.Result(t, waiting); o.Err != nil {
		t.Error(o.Err)
	}
}

func TestDoubleBarriers(t *testing.T) {
	enter := func(d workloads.DoubleBarrier) func() (workloads.Grant, error) {
		return func() (workloads.Grant, error) { return workloads.Grant{}, d.Enter(testetcd.Within(t)) }
	}
	pair := func(name string) (a, b *workloads.Session, one, two workloads.DoubleBarrier) {
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		subject := testetcd.Named(t, Subjects(), name)
		return a, b, subject.NewDoubleBarrier(a, prefix, 2), subject.NewDoubleBarrier(b, prefix, 2)
	}
	t.Run("one enters alone", func(t *testing.T) {
		_, _, one, _ := pair("double-barrier-off-by-one")
		testetcd.Must(t, one.Enter)
		testetcd.Must(t, one.Leave)
	})
	t.Run("the dead count", func(t *testing.T) {
		a, b, one, two := pair("double-barrier-counts-arrivals")
		for range 2 { // together
			waiting := testetcd.StartWaiting(t, a, enter(one))
			testetcd.Must(t, two.Enter)
			if o := testetcd.Result(t, waiting); o.Err != nil {
				t.Fatal(o.Err)
			}
			leaving := testetcd.StartWaiting(t, a, func() (workloads.Grant, error) { return workloads.Grant{}, one.Leave(testetcd.Within(t)) })
			testetcd.Must(t, two.Leave)
			if o := testetcd.Result(t, leaving); o.Err != nil {
				t.Fatal(o.Err)
			}
		}
		ctx, cancel := context.WithCancel(testetcd.Within(t))
		defer cancel()
		waiting := testetcd.StartWaiting(t, b, func() (workloads.Grant, error) { return workloads.Grant{}, two.Enter(ctx) })
		cancel()
		if o := testetcd.Result(t, waiting); !errors.Is(o.Err, context.Canceled) {
			t.Fatal(o.Err)
		}
		testetcd.Must(t, one.Enter) // the bug
	})
	t.Run("one leaves alone", func(t *testing.T) {
		a, _, one, two := pair("double-barrier-leaves-alone")
		waiting := testetcd.StartWaiting(t, a, enter(one))
		testetcd.Must(t, two.Enter)
		if o := testetcd.Result(t, waiting); o.Err != nil {
			t.Fatal(o.Err)
		}
		testetcd.Must(t, two.Leave)
		testetcd.Must(t, one.Leave)
	})
}

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

func TestBankWithoutConditionLosesAnUpdate(t *testing.T) {
	a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
	subject := testetcd.Named(t, Subjects(), "bank-without-condition")
	one, two := subject.NewBank(a, prefix), subject.NewBank(b, prefix)
	move := func(bank workloads.Bank, from, to int) {
		t.Helper()
		if _, err := bank.Transfer(testetcd.Within(t), workloads.Transfer{From: from, To: to, Amount: 10, Name: fmt.Sprint(from, to)}); err != nil {
			t.Fatal(err)
		}
	}
	whole := func() (sum int64) {
		t.Helper()
		statement, err := one.Audit(testetcd.Within(t))
		if err != nil {
			t.Fatal(err)
		}
		for _, balance := range statement.Balances {
			sum += balance
		}
		return sum
	}
	move(one, 0, 1)
	if got := whole(); got != workloads.Accounts*workloads.Balance {
		t.Fatalf("the whole is %d with nobody else there", got)
	}
	if _, err := one.Transfer(testetcd.Within(t), workloads.Transfer{From: 0, To: 1, Amount: 1000, Name: "x"}); !errors.Is(err, workloads.ErrTooLittle) || !workloads.Certain(err) {
		t.Errorf("too much: %v", err)
	}
	// Another's transfer between the reads and the write. The audit that comes
	// first reads by a transaction, too, and so does the one inside of it.
	a.Client.KV = &beforeWrite{a.Client.KV, func() { move(two, 2, 1) }}
	move(one, 0, 1)
	if got := whole(); got == workloads.Accounts*workloads.Balance {
		t.Error("no update was lost")
	}
}

// beforeWrite makes a client call something before its first transaction that
// writes.
type beforeWrite struct {
	clientv3.KV
	call func()
}

func (k *beforeWrite) Txn(ctx context.Context) clientv3.Txn {
	return &watchedTxn{k.KV.Txn(ctx), k}
}

type watchedTxn struct {
	clientv3.Txn
	kv *beforeWrite
}

func (x *watchedTxn) If(cs ...clientv3.Cmp) clientv3.Txn { x.Txn = x.Txn.If(cs...); return x }
func (x *watchedTxn) Else(ops ...clientv3.Op) clientv3.Txn {
	x.Txn = x.Txn.Else(ops...)
	return x
}

func (x *watchedTxn) Then(ops ...clientv3.Op) clientv3.Txn {
	if call := x.kv.call; call != nil && len(ops) > 0 && ops[0].IsPut() {
		x.kv.call = nil
		call()
	}
	x.Txn = x.Txn.Then(ops...)
	return x
}

// lateAnswer makes a client wait for its first write's answer until the context
// of the attempt is over, though the write was made.
type lateAnswer struct {
	clientv3.KV
	armed bool
}

func (k *lateAnswer) Txn(ctx context.Context) clientv3.Txn {
	return &lateTxn{k.KV.Txn(ctx), ctx, k, false}
}

type lateTxn struct {
	clientv3.Txn
	ctx  context.Context
	kv   *lateAnswer
	puts bool
}

func (x *lateTxn) If(cs ...clientv3.Cmp) clientv3.Txn   { x.Txn = x.Txn.If(cs...); return x }
func (x *lateTxn) Else(ops ...clientv3.Op) clientv3.Txn { x.Txn = x.Txn.Else(ops...); return x }

func (x *lateTxn) Then(ops ...clientv3.Op) clientv3.Txn {
	x.puts = len(ops) > 0 && ops[0].IsPut()
	x.Txn = x.Txn.Then(ops...)
	return x
}

func (x *lateTxn) Commit() (*clientv3.TxnResponse, error) {
	reply, err := x.Txn.Commit()
	if x.kv.armed && x.puts {
		x.kv.armed = false
		<-x.ctx.Done()
		return nil, x.ctx.Err()
	}
	return reply, err
}

func TestBankRetriesTransferMovesTwice(t *testing.T) {
	s, prefix := testetcd.Open(t), testetcd.Prefix(t)
	bank := testetcd.Named(t, Subjects(), "bank-retries-transfer").NewBank(s, prefix)
	if _, err := bank.Audit(testetcd.Within(t)); err != nil {
		t.Fatal(err)
	}
	s.Client.KV = &lateAnswer{s.Client.KV, true}
	if _, err := bank.Transfer(testetcd.Within(t), workloads.Transfer{From: 0, To: 1, Amount: 10, Name: "n"}); err != nil {
		t.Fatal(err)
	}
	statement, err := bank.Audit(testetcd.Within(t))
	if err != nil || statement.Balances[0] != workloads.Balance-20 {
		t.Errorf("account 0 has %d, %v", statement.Balances[0], err)
	}
}

func TestRegisters(t *testing.T) {
	registers := func(name string) (a *workloads.Session, one, two workloads.Register) {
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		subject := testetcd.Named(t, Subjects(), name)
		return a, subject.NewRegister(a, prefix), subject.NewRegister(b, prefix)
	}
	put := func(r workloads.Register, value string) {
		t.Helper()
		if _, err := r.Put(testetcd.Within(t), value); err != nil {
			t.Fatal(err)
		}
	}
	read := func(r workloads.Register) string {
		t.Helper()
		reading, err := r.Get(testetcd.Within(t))
		if err != nil {
			t.Fatal(err)
		}
		return reading.Value
	}
	t.Run("a write between look and put is lost", func(t *testing.T) {
		a, one, two := registers("register-looks-and-puts")
		put(one, "v")
		if _, err := one.CompareAndSet(testetcd.Within(t), "other", "w"); !errors.Is(err, workloads.ErrDiffers) {
			t.Errorf("compared with what is not there: %v", err)
		}
		a.Client.KV = &beforePut{a.Client.KV, func() { put(two, "between") }}
		if _, err := one.CompareAndSet(testetcd.Within(t), "v", "w"); err != nil {
			t.Errorf("the comparison noticed: %v", err)
		}
	})
	t.Run("an answer is no success", func(t *testing.T) {
		_, one, two := registers("register-ignores-outcome")
		put(one, "v")
		if _, err := one.CompareAndSet(testetcd.Within(t), "v", "w"); err != nil || read(two) != "w" {
			t.Errorf("compared with what is there: %v, and it is %q", err, read(two))
		}
		if _, err := one.CompareAndSet(testetcd.Within(t), "other", "x"); err != nil || read(two) != "w" {
			t.Errorf("compared with what is not there: %v, and it is %q", err, read(two))
		}
	})
	t.Run("what is read is old", func(t *testing.T) {
		_, one, two := registers("register-from-cache")
		put(one, "v")
		cached := one.(*cachedRegister)
		if got := read(one); got != "v" {
			t.Errorf("read %q", got)
		}
		cached.fresh = 1 << 62 // as if no time went by
		put(two, "w")
		if got := read(one); got != "v" {
			t.Errorf("read %q, which is not from memory", got)
		}
		put(one, "x")
		if got := read(one); got != "x" {
			t.Errorf("read %q after a write of one's own", got)
		}
	})
}

func TestServicesGoWrong(t *testing.T) {
	lead := func(name string, s *workloads.Session, prefix string, during func()) {
		t.Helper()
		service := testetcd.Named(t, Subjects(), name).NewService(s, prefix)
		if err := service.Run(testetcd.Within(t), func(context.Context, workloads.Grant) { during() }); err != nil {
			t.Error(err)
		}
	}
	t.Run("the key stays", func(t *testing.T) {
		s, prefix := testetcd.Open(t), testetcd.Prefix(t)
		lead("service-stays", s, prefix, func() {})
		testetcd.AwaitKeys(t, s.Client, prefix, 1)
	})
	t.Run("two lead", func(t *testing.T) {
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		both := false
		// The seat is empty when the first looks, and taken when it sits down.
		lead("service-unconfirmed", b, prefix, func() {})
		testetcd.AwaitKeys(t, a.Client, prefix, 0)
		a.Client.KV = &beforePut{a.Client.KV, nil}
		a.Client.KV.(*beforePut).call = func() {
			lead("service-unconfirmed", b, prefix, func() { both = true })
		}
		lead("service-unconfirmed", a, prefix, func() {})
		if !both {
			t.Error("nobody led while the other was about to")
		}
		testetcd.AwaitKeys(t, a.Client, prefix, 0)
	})
	t.Run("leading ends with the session", func(t *testing.T) {
		a, b, prefix := testetcd.Open(t), testetcd.Open(t), testetcd.Prefix(t)
		service := testetcd.Named(t, Subjects(), "service-unconfirmed").NewService(a, prefix)
		err := service.Run(testetcd.Within(t), func(ctx context.Context, _ workloads.Grant) {
			testetcd.Revoke(t, b, a)
			<-ctx.Done()
		})
		if err != nil {
			t.Error(err)
		}
	})
}
