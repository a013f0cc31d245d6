package broken

import (
	"context"
	"errors"
	"fmt"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

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
