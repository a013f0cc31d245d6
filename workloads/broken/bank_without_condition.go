package broken

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/recipes"
)

// bankWithoutCondition is a bank that reads two accounts and writes both in one
// transaction, which has no condition.
//
// Plausible: it is a transaction, and so it is atomic: nobody sees one account
// changed and not the other. But what was read may be over when it is written, and
// another's transfer is lost.
//
// Found by total when two transfers meet in an account.
func bankWithoutCondition() Specimen {
	return Specimen{Breaks: []string{total}, Twin: "stm-serializable-snapshot", Subject: workloads.Subject{
		Name:    "bank-without-condition",
		Summary: "a bank that writes what follows from what it has read, whatever came between",
		Origin:  history.Broken,
		Layout:  history.AccountKeys,
		NewBank: func(s *workloads.Session, prefix string) workloads.Bank {
			return &blindBank{recipes.NewBank(s, prefix, concurrency.SerializableSnapshot), s.Client, prefix + "/"}
		},
	}}
}

type blindBank struct {
	*recipes.Bank
	client *clientv3.Client
	prefix string
}

func (b *blindBank) Transfer(ctx context.Context, t workloads.Transfer) (int64, error) {
	if _, err := b.Audit(ctx); err != nil { // opens the accounts
		return 0, workloads.WithoutEffect(err)
	}
	from, err := b.balance(ctx, t.From)
	if err != nil {
		return 0, err
	}
	to, err := b.balance(ctx, t.To)
	if err != nil {
		return 0, err
	}
	if from < t.Amount {
		return 0, workloads.WithoutEffect(workloads.ErrTooLittle)
	}
	reply, err := b.client.Txn(ctx).Then( // the bug: no If
		clientv3.OpPut(b.prefix+strconv.Itoa(t.From), fmt.Sprintf("%d %s", from-t.Amount, t.Name)),
		clientv3.OpPut(b.prefix+strconv.Itoa(t.To), fmt.Sprintf("%d %s", to+t.Amount, t.Name)),
	).Commit()
	if err != nil {
		return 0, fmt.Errorf("write the accounts: %w", err)
	}
	return reply.Header.Revision, nil
}

// balance reads an account.
func (b *blindBank) balance(ctx context.Context, account int) (int64, error) {
	reply, err := b.client.Get(ctx, b.prefix+strconv.Itoa(account))
	if err == nil && len(reply.Kvs) == 0 {
		err = errors.New("it is not there")
	}
	if err != nil {
		return 0, workloads.WithoutEffect(fmt.Errorf("read account %d: %w", account, err))
	}
	text, _, _ := strings.Cut(string(reply.Kvs[0].Value), " ")
	balance, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, workloads.WithoutEffect(fmt.Errorf("read account %d: %w", account, err))
	}
	return balance, nil
}
