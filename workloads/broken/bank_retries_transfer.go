package broken

import (
	"context"

	"go.etcd.io/etcd/client/v3/concurrency"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/recipes"
)

// bankRetriesTransfer is a bank that makes a transfer again when the answer to it
// does not come in time.
//
// Plausible: every request has a timeout and is retried, and each attempt is a
// serializable transaction. But a transfer is no request that one can repeat: if
// only the answer was lost, the amount is moved twice.
//
// Found by total when the answer to a transfer is late.
func bankRetriesTransfer() Specimen {
	return Specimen{Breaks: []string{total}, Twin: "stm-serializable-snapshot", Subject: workloads.Subject{
		Name:    "bank-retries-transfer",
		Summary: "a bank that makes a transfer again when its answer does not come",
		Origin:  history.Broken,
		Layout:  history.AccountKeys,
		NewBank: func(s *workloads.Session, prefix string) workloads.Bank {
			return &retryingBank{recipes.NewBank(s, prefix, concurrency.SerializableSnapshot)}
		},
	}}
}

type retryingBank struct{ *recipes.Bank }

func (b *retryingBank) Transfer(ctx context.Context, t workloads.Transfer) (int64, error) {
	for {
		within, cancel := context.WithTimeout(ctx, attemptPatience)
		revision, err := b.Bank.Transfer(within, t)
		late := within.Err() != nil
		cancel()
		if err == nil || !late || ctx.Err() != nil {
			return revision, err
		}
		// The bug: it may have taken effect.
	}
}
