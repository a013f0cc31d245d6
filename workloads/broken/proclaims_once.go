package broken

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// proclaimsOnce is an election whose proclamation puts the value only as long as
// the key is as the campaign has made it, and takes any answer for success.
//
// Plausible: "nobody has touched my key" is a comparison that one knows from
// registers, and the first proclamation goes well. It touches the key itself: the
// second finds it changed, writes nothing, and says that it did.
//
// Found by ownership when a leader proclaims twice.
func proclaimsOnce() Specimen {
	return Specimen{Breaks: []string{ownership}, Twin: "queue-election", Subject: workloads.Subject{
		Name:    "proclaims-once",
		Summary: "an election whose second proclamation writes nothing and reports success",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewElection: func(s *workloads.Session, prefix string) workloads.Election {
			return &onceElection{newQueueElection(s, prefix)}
		},
	}}
}

type onceElection struct{ *queueElection }

func (e *onceElection) Proclaim(ctx context.Context, value string) error {
	untouched := clientv3.Compare(clientv3.Version(e.own.key), "<", 3) // made, and put after the wait
	_, err := e.session.Client.Txn(ctx).
		If(e.own.exists(), untouched).
		Then(clientv3.OpPut(e.own.key, value, clientv3.WithLease(e.session.Session.Lease()))).
		Commit()
	if err != nil {
		return fmt.Errorf("put the own key's value: %w", err)
	}
	return nil // the bug: whether it was written
}
