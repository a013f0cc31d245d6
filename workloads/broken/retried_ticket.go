package broken

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// retriedTicket is a queueing lock whose tickets are keys with names of their own,
// and which draws another when the answer to the first does not come in time.
//
// Plausible: each request has a timeout and is retried, as it should be. But
// putting a key with a new name is not the same request again: the first ticket
// may be in the queue, and nobody will ever take it out. To itself the client does
// not seem to be in its own way, so that it goes on; all others wait.
//
// Found by ownership, or by progress, when the answer to an acquire is lost.
func retriedTicket() Specimen {
	return Specimen{Breaks: []string{ownership, progress, leftovers}, Twin: "queue-lock", Subject: workloads.Subject{
		Name:    "retried-ticket",
		Summary: "a queueing lock that draws another ticket when an answer does not come",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &ticketLock{session: s, prefix: prefix}
		},
	}}
}

type ticketLock struct {
	session *workloads.Session
	prefix  string
	drawn   int
	own     claim
}

func (l *ticketLock) Acquire(ctx context.Context) (workloads.Grant, error) {
	own, err := l.draw(ctx)
	if err != nil {
		return workloads.Grant{}, err
	}
	if err := l.wait(ctx, own); err != nil {
		return workloads.Grant{}, own.abandon(ctx, err)
	}
	if err := own.confirm(ctx); err != nil {
		return workloads.Grant{}, own.abandon(ctx, err)
	}
	l.own = own
	return own.grant(), nil
}

func (l *ticketLock) draw(ctx context.Context) (claim, error) {
	for {
		l.drawn++ // the bug: the last one may be in the queue
		key := fmt.Sprintf("%s/%x.%d", l.prefix, int64(l.session.Session.Lease()), l.drawn)
		within, cancel := context.WithTimeout(ctx, attemptPatience)
		reply, err := l.session.Client.Put(within, key, "", clientv3.WithLease(l.session.Session.Lease()))
		cancel()
		if err == nil {
			return claim{l.session.Client, key, reply.Header.Revision}, nil
		}
		if ctx.Err() != nil || errors.Is(err, rpctypes.ErrLeaseNotFound) {
			return claim{}, fmt.Errorf("draw a ticket: %w", err)
		}
	}
}

// wait returns nil when every older ticket of another client is gone.
func (l *ticketLock) wait(ctx context.Context, own claim) error {
	older := append(clientv3.WithLastCreate(), clientv3.WithMaxCreateRev(own.revision-1), clientv3.WithLimit(0))
	for {
		reply, err := own.client.Get(ctx, l.prefix+locking, older...)
		if err != nil {
			return fmt.Errorf("find an older ticket: %w", err)
		}
		predecessor := ""
		for _, kv := range reply.Kvs {
			if kv.Lease != int64(l.session.Session.Lease()) {
				predecessor = string(kv.Key)
				break
			}
		}
		if predecessor == "" {
			return nil
		}
		if err := awaitDelete(ctx, own.client, predecessor, reply.Header.Revision); err != nil {
			return err
		}
	}
}

func (l *ticketLock) Release(ctx context.Context) error { return l.own.withdraw(ctx) }
