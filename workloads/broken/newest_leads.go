package broken

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// newestLeads is an election that is won by the candidate with the highest create
// revision.
//
// Plausible: it is one option of a read, ascending or descending, and with one
// candidate both are right. Each newcomer leads at once, beside the one that leads.
//
// Found by exclusion and by ownership when a candidate comes while one leads.
func newestLeads() Specimen {
	return Specimen{Breaks: []string{exclusion, ownership}, Twin: "queue-election", Subject: workloads.Subject{
		Name:    "newest-leads",
		Summary: "an election in which the newest candidate leads",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewElection: func(s *workloads.Session, prefix string) workloads.Election {
			return &upstartElection{newQueueElection(s, prefix)}
		},
	}}
}

type upstartElection struct{ *queueElection }

func (e *upstartElection) Campaign(ctx context.Context, value string) (workloads.Grant, error) {
	return e.campaign(ctx, value, func(own claim) error {
		for {
			newest := append(clientv3.WithLastCreate(), clientv3.WithMinCreateRev(own.revision+1)) // the bug
			reply, err := own.client.Get(ctx, e.prefix+locking, newest...)
			if err != nil {
				return fmt.Errorf("find the newest key: %w", err)
			}
			if len(reply.Kvs) == 0 {
				return nil
			}
			if err := awaitDelete(ctx, own.client, string(reply.Kvs[0].Key), reply.Header.Revision); err != nil {
				return err
			}
		}
	})
}
