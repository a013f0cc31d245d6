package broken

import (
	"context"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// leaderStaleRead is an election that asks any member who leads, up to date or not.
//
// Plausible: it is only a question, nothing depends on it, and the read is the
// cheap one.
//
// Found by linearizable when a member is cut off from the others.
func leaderStaleRead() Specimen {
	return Specimen{Breaks: []string{linearizable}, Twin: "queue-election", Subject: workloads.Subject{
		Name:    "leader-stale-read",
		Summary: "an election that answers who leads from any member's state",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewElection: func(s *workloads.Session, prefix string) workloads.Election {
			return &staleElection{newQueueElection(s, prefix)}
		},
	}}
}

type staleElection struct{ *queueElection }

func (e *staleElection) Leader(ctx context.Context) (workloads.Leadership, error) {
	return e.leader(ctx, clientv3.WithSerializable()) // the bug
}
