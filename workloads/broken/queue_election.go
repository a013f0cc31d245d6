package broken

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// queueElection is an election in the order of the candidates' keys, and is
// right: the twin of the elections that get one thing wrong.
type queueElection struct{ queue }

var (
	_ workloads.Resumer = (*queueElection)(nil)
	_ workloads.Guard   = (*queueElection)(nil)
)

func newQueueElection(s *workloads.Session, prefix string) *queueElection {
	return &queueElection{queue{session: s, prefix: prefix}}
}

// Campaign waits until no older candidate is left.
func (e *queueElection) Campaign(ctx context.Context, value string) (workloads.Grant, error) {
	return e.campaign(ctx, value, func(own claim) error { return own.wait(ctx, e.prefix+locking) })
}

// campaign puts the candidate's key, and leads if it is still there after a wait.
func (e *queueElection) campaign(ctx context.Context, value string, wait func(own claim) error) (workloads.Grant, error) {
	own, err := stakeValue(ctx, e.session, e.prefix+locking, value)
	if err != nil {
		return workloads.Grant{}, err
	}
	if err = wait(own); err == nil {
		// The key may be one of an earlier campaign, with its value.
		err = own.put(ctx, e.session, value)
	}
	if err != nil {
		return workloads.Grant{}, own.abandon(ctx, err)
	}
	e.own = own
	return own.grant(), nil
}

// put replaces the value of the claim, if it exists.
func (c claim) put(ctx context.Context, s *workloads.Session, value string) error {
	reply, err := c.client.Txn(ctx).
		If(c.exists()).
		Then(clientv3.OpPut(c.key, value, clientv3.WithLease(s.Session.Lease()))).
		Commit()
	if err != nil {
		return fmt.Errorf("put the own key's value: %w", err)
	}
	if !reply.Succeeded {
		return workloads.WithoutEffect(errLost)
	}
	return nil
}

// Proclaim replaces the leader value, if the caller's key exists.
func (e *queueElection) Proclaim(ctx context.Context, value string) error {
	return e.own.put(ctx, e.session, value)
}

// Resign deletes the caller's key.
func (e *queueElection) Resign(ctx context.Context) error { return e.own.withdraw(ctx) }

// Resume continues the leadership that grant describes.
func (e *queueElection) Resume(grant workloads.Grant) {
	e.own = claim{e.session.Client, grant.Key, grant.Token}
}

// Leader returns the oldest candidate.
func (e *queueElection) Leader(ctx context.Context) (workloads.Leadership, error) {
	return e.leader(ctx)
}

func (e *queueElection) leader(ctx context.Context, options ...clientv3.OpOption) (workloads.Leadership, error) {
	reply, err := e.session.Client.Get(ctx, e.prefix+locking, append(clientv3.WithFirstCreate(), options...)...)
	if err != nil {
		return workloads.Leadership{}, fmt.Errorf("find the leader: %w", err)
	}
	if len(reply.Kvs) == 0 {
		return workloads.Leadership{Revision: reply.Header.Revision}, workloads.ErrNoLeader
	}
	leader := reply.Kvs[0]
	return workloads.Leadership{
		Value: string(leader.Value), Key: string(leader.Key), Token: leader.CreateRevision, Revision: reply.Header.Revision,
	}, nil
}

// Observe asks for the leader whenever a candidate's key has changed.
func (e *queueElection) Observe(ctx context.Context) <-chan workloads.Leadership {
	seen := make(chan workloads.Leadership)
	go func() {
		defer close(seen)
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		watching := e.session.Client.Watch(ctx, e.prefix+locking, clientv3.WithPrefix(), clientv3.WithCreatedNotify())
		for reply := range watching {
			if reply.Err() != nil {
				return
			}
			now, err := e.Leader(ctx)
			if err != nil && !workloads.Certain(err) {
				return
			}
			if err != nil {
				continue // nobody leads
			}
			select {
			case seen <- now:
			case <-ctx.Done():
				return
			}
		}
	}()
	return seen
}
