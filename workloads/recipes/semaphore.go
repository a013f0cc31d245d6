package recipes

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// Semaphore is a counting semaphore on etcd, holdfast's own: etcd has none.
// Each acquire queues with a key of its own below the prefix and "/", on the
// session's lease, and as many keys hold as there are permits: those with the
// lowest create revisions.
//
// One linearizable read decides: it returns the own key and the older ones
// together. If the own one is there and fewer than permits are older, it holds,
// and goes on holding until it is deleted, as no older key can come to be.
type Semaphore struct {
	session *workloads.Session
	prefix  string
	permits int
	rounds  int
	grant   workloads.Grant
}

var (
	_ workloads.Semaphore = (*Semaphore)(nil)
	_ workloads.Guard     = (*Semaphore)(nil)
)

// NewSemaphore returns a semaphore of so many permits on prefix.
func NewSemaphore(s *workloads.Session, prefix string, permits int) *Semaphore {
	return &Semaphore{session: s, prefix: prefix, permits: permits}
}

// Acquire waits until one of the permits is the caller's. After an error it
// tries to take its key out of the queue, in no more time than patience beyond
// the end of ctx.
func (p *Semaphore) Acquire(ctx context.Context) (workloads.Grant, error) {
	p.rounds++
	key := fmt.Sprintf("%s/%x-%d", p.prefix, p.session.Session.Lease(), p.rounds)
	p.grant = workloads.Grant{}
	reply, err := p.session.Client.Put(ctx, key, "", clientv3.WithLease(p.session.Session.Lease()))
	if err != nil {
		return workloads.Grant{}, fmt.Errorf("queue: %w", err)
	}
	grant := workloads.Grant{Key: key, Token: reply.Header.Revision}
	if err := p.wait(ctx, grant); err != nil {
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		if gone := p.remove(within, grant); gone != nil {
			err = errors.Join(err, fmt.Errorf("leave the queue: %w", gone))
		}
		return workloads.Grant{}, err
	}
	p.grant = grant
	return grant, nil
}

// wait returns nil when a grant holds.
func (p *Semaphore) wait(ctx context.Context, grant workloads.Grant) error {
	for {
		queue, err := p.session.Client.Get(ctx, p.prefix+"/", clientv3.WithPrefix(), clientv3.WithKeysOnly(), clientv3.WithMaxCreateRev(grant.Token))
		if err != nil {
			return fmt.Errorf("look at the queue: %w", err)
		}
		older, there := 0, false
		for _, k := range queue.Kvs {
			if k.CreateRevision < grant.Token {
				older++
			}
			there = there || string(k.Key) == grant.Key && k.CreateRevision == grant.Token
		}
		switch {
		case !there:
			return workloads.WithoutEffect(errKeyGone)
		case older < p.permits:
			return nil
		}
		if err := p.awaitDeletion(ctx, queue.Header.Revision+1); err != nil {
			return err
		}
	}
}

// awaitDeletion returns nil when a key may have left the queue since a revision,
// or the watch cannot tell any more: then the caller looks again.
func (p *Semaphore) awaitDeletion(ctx context.Context, revision int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for reply := range p.session.Client.Watch(ctx, p.prefix+"/", clientv3.WithPrefix(), clientv3.WithFilterPut(), clientv3.WithRev(revision)) {
		if err := reply.Err(); err != nil && !errors.Is(err, rpctypes.ErrCompacted) {
			return fmt.Errorf("watch the queue: %w", err)
		}
		if len(reply.Events) > 0 || reply.Canceled {
			return nil
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return errors.New("the watch of the queue was lost")
}

// remove deletes the key of a grant, if it is there still.
func (p *Semaphore) remove(ctx context.Context, grant workloads.Grant) error {
	_, err := p.session.Client.Txn(ctx).If(owns(grant)).Then(clientv3.OpDelete(grant.Key)).Commit()
	return err
}

// Release gives the permit back. It is no error if the lease's end has done so.
func (p *Semaphore) Release(ctx context.Context) error { return p.remove(ctx, p.grant) }

// IsOwner compares true only while the caller's key exists.
func (p *Semaphore) IsOwner() clientv3.Cmp { return owns(p.grant) }
