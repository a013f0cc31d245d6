package broken

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// resignsForAnyone is an election whose resignation deletes the leader's key.
//
// Plausible: who resigns is the leader. Who has lost its lease and has not noticed
// is not, and takes its successor out of office.
//
// Found by ownership and by exclusion when a leader loses its lease, does not
// notice, and resigns.
func resignsForAnyone() Specimen {
	return Specimen{Breaks: []string{exclusion, ownership}, Twin: "queue-election", Subject: workloads.Subject{
		Name:    "resigns-for-anyone",
		Summary: "an election whose resignation removes whoever leads",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewElection: func(s *workloads.Session, prefix string) workloads.Election {
			return &usurpedElection{newQueueElection(s, prefix)}
		},
	}}
}

type usurpedElection struct{ *queueElection }

func (e *usurpedElection) Resign(ctx context.Context) error {
	reply, err := e.session.Client.Get(ctx, e.prefix+locking, clientv3.WithFirstCreate()...)
	if err != nil {
		return fmt.Errorf("find the leader: %w", err)
	}
	if len(reply.Kvs) == 0 {
		return workloads.WithoutEffect(errLost)
	}
	leader := claim{e.session.Client, string(reply.Kvs[0].Key), reply.Kvs[0].CreateRevision} // the bug: it need not be the caller
	return leader.withdraw(ctx)
}
