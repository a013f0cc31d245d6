package broken

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/recipes"
)

// registerIgnoresOutcome is a register that takes an answer to a comparison for
// success.
//
// Plausible: the transaction is right, and its error is looked at. But that the
// comparison failed is no error of the transaction: Succeeded has to be read.
//
// Found by durability and by linearizable when a comparison fails.
func registerIgnoresOutcome() Specimen {
	return Specimen{Breaks: []string{durability, linearizable}, Twin: "kv-register", Subject: workloads.Subject{
		Name:    "register-ignores-outcome",
		Summary: "a register that takes an answer for success, whatever the comparison said",
		Origin:  history.Broken,
		Layout:  history.OneKey,
		NewRegister: func(s *workloads.Session, prefix string) workloads.Register {
			return &hopefulRegister{recipes.NewRegister(s, prefix), s.Client, prefix + "/value"}
		},
	}}
}

type hopefulRegister struct {
	*recipes.Register
	client *clientv3.Client
	key    string
}

func (r *hopefulRegister) CompareAndSet(ctx context.Context, prior, value string) (int64, error) {
	same := clientv3.Compare(clientv3.Value(r.key), "=", prior)
	if prior == "" {
		same = clientv3.Compare(clientv3.CreateRevision(r.key), "=", 0)
	}
	reply, err := r.client.Txn(ctx).If(same).Then(clientv3.OpPut(r.key, value)).Commit()
	if err != nil {
		return 0, fmt.Errorf("write the register: %w", err)
	}
	return reply.Header.Revision, nil // the bug: reply.Succeeded
}
