package recipes

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// Bank is accounts below the prefix and "/", in each the balance and the name
// of the transfer that made it, moved by etcd's software transactional memory,
// concurrency.NewSTM, at one of its isolation levels.
type Bank struct {
	session   *workloads.Session
	prefix    string
	isolation concurrency.Isolation
	opened    bool
}

var _ workloads.Bank = (*Bank)(nil)

// NewBank returns the bank on prefix, whose transactions are isolated so far.
func NewBank(s *workloads.Session, prefix string, isolation concurrency.Isolation) *Bank {
	return &Bank{session: s, prefix: prefix, isolation: isolation}
}

func (b *Bank) key(account int) string { return b.prefix + "/" + strconv.Itoa(account) }

// errNoAccounts is why a transaction read an account that is not there.
var errNoAccounts = errors.New("the accounts are not there")

// open creates the accounts, in one transaction, unless they are there.
func (b *Bank) open(ctx context.Context) error {
	if b.opened {
		return nil
	}
	var accounts []clientv3.Op
	for i := range workloads.Accounts {
		accounts = append(accounts, clientv3.OpPut(b.key(i), strconv.Itoa(workloads.Balance)))
	}
	missing := clientv3.Compare(clientv3.CreateRevision(b.key(0)), "=", 0)
	if _, err := b.session.Client.Txn(ctx).If(missing).Then(accounts...).Commit(); err != nil {
		// The accounts may be there or not: the call itself has done nothing.
		return workloads.WithoutEffect(fmt.Errorf("open the accounts: %w", err))
	}
	b.opened = true
	return nil
}

// balance reads an account within a transaction.
func (b *Bank) balance(tx concurrency.STM, account int) (int64, error) {
	text, _, _ := strings.Cut(tx.Get(b.key(account)), " ")
	if text == "" {
		return 0, errNoAccounts
	}
	return strconv.ParseInt(text, 10, 64)
}

// transact runs a transaction. An error of what it does, in contrast to one of
// etcd, means that nothing was committed.
func (b *Bank) transact(ctx context.Context, apply func(concurrency.STM) error) (*clientv3.TxnResponse, error) {
	var refused error
	reply, err := concurrency.NewSTM(b.session.Client, func(tx concurrency.STM) error {
		refused = apply(tx)
		return refused
	}, concurrency.WithIsolation(b.isolation), concurrency.WithAbortContext(ctx))
	if err != nil && refused != nil && errors.Is(err, refused) {
		return nil, workloads.WithoutEffect(err)
	}
	return reply, err
}

// Transfer moves an amount between two accounts.
func (b *Bank) Transfer(ctx context.Context, t workloads.Transfer) (int64, error) {
	if err := b.open(ctx); err != nil {
		return 0, err
	}
	reply, err := b.transact(ctx, func(tx concurrency.STM) error {
		from, err := b.balance(tx, t.From)
		if err != nil {
			return err
		}
		to, err := b.balance(tx, t.To)
		if err != nil {
			return err
		}
		if from < t.Amount {
			return workloads.ErrTooLittle
		}
		tx.Put(b.key(t.From), fmt.Sprintf("%d %s", from-t.Amount, t.Name))
		tx.Put(b.key(t.To), fmt.Sprintf("%d %s", to+t.Amount, t.Name))
		return nil
	})
	if err != nil {
		return 0, err
	}
	return reply.Header.Revision, nil
}

// Audit reads all accounts.
func (b *Bank) Audit(ctx context.Context) (workloads.Statement, error) {
	if err := b.open(ctx); err != nil {
		return workloads.Statement{}, err
	}
	var balances []int64
	reply, err := b.transact(ctx, func(tx concurrency.STM) error {
		balances = balances[:0] // a conflict makes it run again
		for i := range workloads.Accounts {
			balance, err := b.balance(tx, i)
			if err != nil {
				return err
			}
			balances = append(balances, balance)
		}
		return nil
	})
	if err != nil {
		return workloads.Statement{}, err
	}
	return workloads.Statement{Balances: balances, Revision: reply.Header.Revision}, nil
}
