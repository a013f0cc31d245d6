package recipes

import (
	"context"
	"errors"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// Election is concurrency.Election. A candidate's key is the prefix, "/" and
// its session's lease in hexadecimal.
//
// It lies: a candidate whose lease ends while it waits is told in the end that
// it leads (etcd#19597). See CheckedElection.
type Election struct {
	session  *workloads.Session
	prefix   string
	election *concurrency.Election
	grant    workloads.Grant
}

var (
	_ workloads.Resumer = (*Election)(nil)
	_ workloads.Guard   = (*Election)(nil)
)

// NewElection returns etcd's election on prefix.
func NewElection(s *workloads.Session, prefix string) *Election {
	return &Election{session: s, prefix: prefix, election: concurrency.NewElection(s.Session, prefix)}
}

// Campaign waits until the caller leads.
func (e *Election) Campaign(ctx context.Context, value string) (workloads.Grant, error) {
	e.grant = workloads.Grant{}
	if err := e.election.Campaign(ctx, value); err != nil {
		return workloads.Grant{}, err
	}
	e.grant = workloads.Grant{Key: e.election.Key(), Token: e.election.Rev()}
	return e.grant, nil
}

// Proclaim replaces the leader value.
func (e *Election) Proclaim(ctx context.Context, value string) error {
	return e.election.Proclaim(ctx, value)
}

// Resign gives the leadership up. etcd's Resign forgets the leadership even if
// it fails (etcd#22123): a second one returns nil and does nothing.
func (e *Election) Resign(ctx context.Context) error { return e.election.Resign(ctx) }

// Leader returns the current leadership, or workloads.ErrNoLeader.
func (e *Election) Leader(ctx context.Context) (workloads.Leadership, error) {
	reply, err := e.election.Leader(ctx)
	if errors.Is(err, concurrency.ErrElectionNoLeader) {
		return workloads.Leadership{}, workloads.ErrNoLeader
	}
	if err != nil {
		return workloads.Leadership{}, err
	}
	return leadershipOf(reply), nil
}

// Observe delivers the current leadership and those that follow.
func (e *Election) Observe(ctx context.Context) <-chan workloads.Leadership {
	replies, seen := e.election.Observe(ctx), make(chan workloads.Leadership)
	go func() {
		defer close(seen)
		// Not left when ctx ends: etcd's own goroutine closes replies then,
		// and the reader of seen may rely on nothing of it being left.
		for reply := range replies {
			select {
			case seen <- leadershipOf(reply):
			case <-ctx.Done():
			}
		}
	}()
	return seen
}

// Resume continues the leadership that grant describes.
func (e *Election) Resume(grant workloads.Grant) {
	// NewElection adds the "/" to its prefix, ResumeElection does not (etcd#10297):
	// given the same prefix, Leader and Observe would look at every key that
	// starts like it, those of prefix+"0" too.
	e.election = concurrency.ResumeElection(e.session.Session, e.prefix+"/", grant.Key, grant.Token)
	e.grant = grant
}

// IsOwner compares true only while the caller's key exists.
func (e *Election) IsOwner() clientv3.Cmp { return owns(e.grant) }

// leadershipOf translates an answer that has the leader's key.
func leadershipOf(reply *clientv3.GetResponse) workloads.Leadership {
	leader := reply.Kvs[0]
	return workloads.Leadership{
		Value:    string(leader.Value),
		Key:      string(leader.Key),
		Token:    leader.CreateRevision,
		Revision: reply.Header.Revision,
	}
}
