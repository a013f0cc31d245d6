package broken

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// proclaimIgnoresOutcome is an election whose proclamation takes an answer for
// success.
//
// Plausible: the value is put only while the key is there, in one transaction, and
// its error is looked at. But that the key was gone is no error of the transaction.
//
// Found by ownership when a leader proclaims whose lease has just ended.
func proclaimIgnoresOutcome() Specimen {
	return Specimen{Breaks: []string{ownership}, Twin: "queue-election", Subject: workloads.Subject{
		Name:    "proclaim-ignores-outcome",
		Summary: "an election whose proclamation reports success though its key was gone",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewElection: func(s *workloads.Session, prefix string) workloads.Election {
			return &hopefulElection{newQueueElection(s, prefix)}
		},
	}}
}

type hopefulElection struct{ *queueElection }

func (e *hopefulElection) Proclaim(ctx context.Context, value string) error {
	_, err := e.session.Client.Txn(ctx).
		If(e.own.exists()).
		Then(clientv3.OpPut(e.own.key, value, clientv3.WithLease(e.session.Session.Lease()))).
		Commit()
	if err != nil {
		return fmt.Errorf("put the own key's value: %w", err)
	}
	return nil // the bug: reply.Succeeded
}
