package recipes

import (
	"context"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3election/v3electionpb"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// V3Election is etcd's election service, which does for its clients what
// concurrency.Election does, defects included: package v3election, over the
// client's own connection. Keys are as those of Election. A campaign that is
// cancelled returns at once, and the server resigns for it afterwards, but by key
// and create revision; see V3Lock for the rest.
type V3Election struct {
	session *workloads.Session
	prefix  string
	leader  *v3electionpb.LeaderKey
	grant   workloads.Grant
}

var (
	_ workloads.Resumer = (*V3Election)(nil)
	_ workloads.Guard   = (*V3Election)(nil)
)

// NewV3Election returns the election service's election named prefix.
func NewV3Election(s *workloads.Session, prefix string) *V3Election {
	return &V3Election{session: s, prefix: prefix}
}

func (e *V3Election) service() v3electionpb.ElectionClient {
	return v3electionpb.NewElectionClient(e.session.Client.ActiveConnection())
}

// Campaign waits until the caller leads.
func (e *V3Election) Campaign(ctx context.Context, value string) (workloads.Grant, error) {
	e.leader, e.grant = nil, workloads.Grant{}
	reply, err := e.service().Campaign(ctx, &v3electionpb.CampaignRequest{
		Name: []byte(e.prefix), Lease: int64(e.session.Session.Lease()), Value: []byte(value),
	})
	if err != nil {
		return workloads.Grant{}, fromService(err)
	}
	e.leader = reply.Leader
	e.grant = workloads.Grant{Key: string(reply.Leader.Key), Token: reply.Leader.Rev}
	return e.grant, nil
}

// Proclaim replaces the leader value.
func (e *V3Election) Proclaim(ctx context.Context, value string) error {
	_, err := e.service().Proclaim(ctx, &v3electionpb.ProclaimRequest{Leader: e.leader, Value: []byte(value)})
	return fromService(err)
}

// Resign gives the leadership up.
func (e *V3Election) Resign(ctx context.Context) error {
	_, err := e.service().Resign(ctx, &v3electionpb.ResignRequest{Leader: e.leader})
	return fromService(err)
}

// Leader returns the current leadership, or workloads.ErrNoLeader.
func (e *V3Election) Leader(ctx context.Context) (workloads.Leadership, error) {
	reply, err := e.service().Leader(ctx, &v3electionpb.LeaderRequest{Name: []byte(e.prefix)})
	if err != nil {
		return workloads.Leadership{}, fromService(err)
	}
	return leadershipOfReply(reply), nil
}

// Observe delivers the current leadership and those that follow.
func (e *V3Election) Observe(ctx context.Context) <-chan workloads.Leadership {
	seen := make(chan workloads.Leadership)
	go func() {
		defer close(seen)
		stream, err := e.service().Observe(ctx, &v3electionpb.LeaderRequest{Name: []byte(e.prefix)})
		if err != nil {
			return // as lost as an observation that ended later
		}
		for {
			reply, err := stream.Recv()
			if err != nil {
				return
			}
			select {
			case seen <- leadershipOfReply(reply):
			case <-ctx.Done():
			}
		}
	}()
	return seen
}

// Resume continues the leadership that grant describes.
func (e *V3Election) Resume(grant workloads.Grant) {
	e.grant = grant
	e.leader = &v3electionpb.LeaderKey{
		Name: []byte(e.prefix + "/"), Key: []byte(grant.Key), Rev: grant.Token, Lease: int64(e.session.Session.Lease()),
	}
}

// IsOwner compares true only while the caller's key exists.
func (e *V3Election) IsOwner() clientv3.Cmp { return owns(e.grant) }

// leadershipOfReply translates an answer, which has the leader's key.
func leadershipOfReply(reply *v3electionpb.LeaderResponse) workloads.Leadership {
	return workloads.Leadership{
		Value:    string(reply.Kv.Value),
		Key:      string(reply.Kv.Key),
		Token:    reply.Kv.CreateRevision,
		Revision: reply.Header.Revision,
	}
}
