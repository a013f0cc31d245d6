package broken

import (
	"context"
	"fmt"
	"strconv"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// tokenCounterResets is a one-key lock that counts its owners in another key, for
// tokens, and puts both on the owner's lease.
//
// Plausible: everything that a client puts is on its lease, as a rule of the
// house. When the lease of the last owner ends, the count goes with it and begins
// at one again.
//
// Found by fencing when an owner's session ends before the next owner counts.
func tokenCounterResets() Specimen {
	return Specimen{Breaks: []string{fencing}, Twin: "counter-lock", Subject: workloads.Subject{
		Name:    "token-counter-resets",
		Summary: "a lock whose fencing tokens are counted in a key that goes with a lease",
		Origin:  history.Broken,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &countingLock{slotLock: newSlotLock(s, prefix), counter: prefix + "/count", lease: s.Session.Lease()} // the bug
		},
	}}
}

// countingLock is right if its counter is on no lease.
type countingLock struct {
	slotLock
	counter string
	lease   clientv3.LeaseID
}

func (l *countingLock) Acquire(ctx context.Context) (workloads.Grant, error) {
	if _, err := l.slotLock.Acquire(ctx); err != nil {
		return workloads.Grant{}, err
	}
	return l.count(ctx)
}

func (l *countingLock) TryAcquire(ctx context.Context) (workloads.Grant, error) {
	if _, err := l.slotLock.TryAcquire(ctx); err != nil {
		return workloads.Grant{}, err
	}
	return l.count(ctx)
}

// count draws the next token, on the condition that the caller still owns. If it
// fails the lock is given up.
func (l *countingLock) count(ctx context.Context) (workloads.Grant, error) {
	own := claim{l.slot.client, l.slot.key, l.slot.revision}
	reply, err := l.slot.client.Get(ctx, l.counter)
	if err != nil {
		return workloads.Grant{}, own.abandon(ctx, fmt.Errorf("read the counter: %w", err))
	}
	token := int64(1)
	if len(reply.Kvs) > 0 {
		last, _ := strconv.ParseInt(string(reply.Kvs[0].Value), 10, 64) // only this lock writes it
		token += last
	}
	counted, err := l.slot.client.Txn(ctx).
		If(own.exists()).
		Then(clientv3.OpPut(l.counter, strconv.FormatInt(token, 10), clientv3.WithLease(l.lease))).
		Commit()
	if err != nil {
		return workloads.Grant{}, own.abandon(ctx, fmt.Errorf("write the counter: %w", err))
	}
	if !counted.Succeeded {
		return workloads.Grant{}, workloads.WithoutEffect(errLost)
	}
	return workloads.Grant{Token: token}, nil
}
