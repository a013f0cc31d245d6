package recipes

import (
	"context"
	"strings"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// CheckedElection is an election that keeps what concurrency.Election promises;
// see line for what it does differently. Its observations go on after a
// compaction (etcd#18163).
type CheckedElection struct {
	line
}

var (
	_ workloads.Resumer = (*CheckedElection)(nil)
	_ workloads.Guard   = (*CheckedElection)(nil)
)

// NewCheckedElection returns the corrected election on prefix.
func NewCheckedElection(s *workloads.Session, prefix string) *CheckedElection {
	return &CheckedElection{line: line{session: s, prefix: prefix + "/"}}
}

// Campaign waits until the caller leads.
func (e *CheckedElection) Campaign(ctx context.Context, value string) (workloads.Grant, error) {
	return e.own(ctx, "", value, own)
}

// Proclaim replaces the leader value.
func (e *CheckedElection) Proclaim(ctx context.Context, value string) error {
	if err := e.sweep(ctx); err != nil {
		return err
	}
	if e.held.key == "" {
		return workloads.WithoutEffect(concurrency.ErrElectionNotLeader)
	}
	reply, err := e.session.Client.Txn(ctx).If(e.IsOwner()).
		Then(clientv3.OpPut(e.held.key, value, clientv3.WithIgnoreLease())).Commit()
	if err != nil {
		return err
	}
	if !reply.Succeeded {
		return workloads.WithoutEffect(concurrency.ErrElectionNotLeader)
	}
	return nil
}

// Resign gives the leadership up. After an error it may be called again.
func (e *CheckedElection) Resign(ctx context.Context) error {
	return e.giveUp(ctx, concurrency.ErrElectionNotLeader)
}

// Leader returns the current leadership, or workloads.ErrNoLeader.
func (e *CheckedElection) Leader(ctx context.Context) (workloads.Leadership, error) {
	leader, _, err := e.leader(ctx)
	return leader, err
}

// leader returns the current leadership too, and the revision of the answer
// even if there is none.
func (e *CheckedElection) leader(ctx context.Context) (workloads.Leadership, int64, error) {
	reply, err := e.session.Client.Get(ctx, e.prefix, clientv3.WithPrefix(),
		clientv3.WithSort(clientv3.SortByCreateRevision, clientv3.SortAscend))
	if err != nil {
		return workloads.Leadership{}, 0, err
	}
	for _, kv := range reply.Kvs {
		if own(strings.TrimPrefix(string(kv.Key), e.prefix)) {
			return leadershipIn(kv, reply.Header.Revision), reply.Header.Revision, nil
		}
	}
	return workloads.Leadership{}, reply.Header.Revision, workloads.ErrNoLeader
}

func leadershipIn(kv *mvccpb.KeyValue, revision int64) workloads.Leadership {
	return workloads.Leadership{Value: string(kv.Value), Key: string(kv.Key), Token: kv.CreateRevision, Revision: revision}
}

// Observe delivers the current leadership and those that follow, until ctx
// ends.
func (e *CheckedElection) Observe(ctx context.Context) <-chan workloads.Leadership {
	seen := make(chan workloads.Leadership)
	go func() {
		defer close(seen)
		var last workloads.Leadership
		for ctx.Err() == nil {
			leader, revision, err := e.leader(ctx)
			switch {
			case err == nil && (leader.Key != last.Key || leader.Token != last.Token || leader.Value != last.Value):
				select {
				case seen <- leader:
					last = leader
				case <-ctx.Done():
					return
				}
			case err != nil && revision == 0:
				pause(ctx, lookAgain)
				continue
			}
			_ = await(ctx, e.session.Client, nil, e.prefix, revision, clientv3.WithPrefix()) // its error is that ctx has ended
		}
	}()
	return seen
}

// Resume continues the leadership that grant describes.
func (e *CheckedElection) Resume(grant workloads.Grant) {
	e.held = place{key: grant.Key, revision: grant.Token}
}
