package broken

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/recipes"
)

// splitBrainElection is an election whose candidates look whether somebody
// leads, and if nobody does, put their key and lead.
//
// Plausible: check, then act, each step right by itself, and no other candidate
// in sight while it is being written. But a resignation wakes every waiting
// candidate at once, and all of them find the seat empty.
//
// Found by exclusion and by ownership when two candidates wait for one leader.
// Everything but the campaign is etcd's.
func splitBrainElection() Specimen {
	return Specimen{Breaks: []string{exclusion, ownership}, Twin: "queue-election", Subject: workloads.Subject{
		Name:    "split-brain-election",
		Summary: "an election that checks for a leader first and becomes one afterwards",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewElection: func(s *workloads.Session, prefix string) workloads.Election {
			return &hastyElection{recipes.NewElection(s, prefix), s, prefix + "/"}
		},
	}}
}

type hastyElection struct {
	*recipes.Election
	session *workloads.Session
	prefix  string
}

func (e *hastyElection) Campaign(ctx context.Context, value string) (workloads.Grant, error) {
	for {
		reply, err := e.session.Client.Get(ctx, e.prefix, clientv3.WithFirstCreate()...)
		if err != nil {
			return workloads.Grant{}, workloads.WithoutEffect(fmt.Errorf("find the leader: %w", err))
		}
		if len(reply.Kvs) == 0 {
			break
		}
		if err := awaitDelete(ctx, e.session.Client, string(reply.Kvs[0].Key), reply.Header.Revision); err != nil {
			return workloads.Grant{}, workloads.WithoutEffect(err)
		}
	}
	// The bug: what was seen above need not be so any more.
	lease := e.session.Session.Lease()
	key := fmt.Sprintf("%s%x", e.prefix, lease)
	reply, err := e.session.Client.Put(ctx, key, value, clientv3.WithLease(lease))
	if err != nil {
		return workloads.Grant{}, fmt.Errorf("put the own key: %w", err)
	}
	grant := workloads.Grant{Key: key, Token: reply.Header.Revision}
	e.Resume(grant)
	return grant, nil
}
