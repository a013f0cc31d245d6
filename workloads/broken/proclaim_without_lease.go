package broken

import (
	"context"
	"fmt"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// proclaimWithoutLease is an election whose proclamation puts the leader's key
// again, without a condition and without its lease.
//
// Plausible: the key has its lease already, one should think. A put without a lease
// takes it off: the key of a leader that dies stays for ever, and one that had lost
// its key makes it anew.
//
// Found by progress when a leader dies after it proclaimed, and by ownership when
// one proclaims that leads no more.
func proclaimWithoutLease() Specimen {
	return Specimen{Breaks: []string{progress, ownership}, Twin: "queue-election", Subject: workloads.Subject{
		Name:    "proclaim-without-lease",
		Summary: "an election whose proclamation takes the leader's key off its lease",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewElection: func(s *workloads.Session, prefix string) workloads.Election {
			return &detachedElection{newQueueElection(s, prefix)}
		},
	}}
}

type detachedElection struct{ *queueElection }

func (e *detachedElection) Proclaim(ctx context.Context, value string) error {
	if _, err := e.session.Client.Put(ctx, e.own.key, value); err != nil { // the bug
		return fmt.Errorf("replace the leader value: %w", err)
	}
	return nil
}
