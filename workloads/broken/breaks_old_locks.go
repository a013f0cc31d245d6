package broken

import (
	"context"
	"fmt"
	"strconv"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// breaksOldLocks is a one-key lock without a lease: its value says until when it
// is good, and whoever finds it older than that replaces it.
//
// Plausible: it is how lock files and rows in databases are done, it survives the
// death of a holder, and "nobody works for longer than a second". A holder that
// does is robbed, and nothing tells it.
//
// Found by exclusion and by ownership whenever work lasts longer than that.
func breaksOldLocks() Specimen {
	return Specimen{Breaks: []string{exclusion, ownership}, Twin: "slot-lock", Subject: workloads.Subject{
		Name:    "breaks-old-locks",
		Summary: "a lock without a lease that waiters break once it is older than a second",
		Origin:  history.Broken,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &datedLock{newSlot(s, prefix)}
		},
	}}
}

// goodFor is how long the lock is good after it was taken.
const goodFor = time.Second

type datedLock struct{ slot slot }

func (l *datedLock) Acquire(ctx context.Context) (workloads.Grant, error) {
	for {
		reply, err := l.slot.client.Get(ctx, l.slot.key)
		if err != nil {
			return workloads.Grant{}, workloads.WithoutEffect(fmt.Errorf("look at the lock: %w", err))
		}
		seen, until := int64(0), time.Time{}
		if len(reply.Kvs) > 0 {
			milliseconds, _ := strconv.ParseInt(string(reply.Kvs[0].Value), 10, 64) // only this lock writes it
			seen, until = reply.Kvs[0].ModRevision, time.UnixMilli(milliseconds)
		}
		if time.Now().Before(until) {
			if err := l.wait(ctx, reply.Header.Revision, until); err != nil {
				return workloads.Grant{}, workloads.WithoutEffect(err)
			}
			continue
		}
		taken, err := l.slot.client.Txn(ctx).
			If(clientv3.Compare(clientv3.ModRevision(l.slot.key), "=", seen)). // the bug: its holder may be at work
			Then(clientv3.OpPut(l.slot.key, strconv.FormatInt(time.Now().Add(goodFor).UnixMilli(), 10))).
			Commit()
		if err != nil {
			return workloads.Grant{}, fmt.Errorf("take the lock: %w", err)
		}
		if taken.Succeeded {
			l.slot.revision = taken.Header.Revision
			return workloads.Grant{Token: l.slot.revision}, nil
		}
	}
}

// wait returns nil when the key is deleted, or is no longer good.
func (l *datedLock) wait(ctx context.Context, revision int64, until time.Time) error {
	within, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	if err := awaitDelete(within, l.slot.client, l.slot.key, revision); err != nil && within.Err() == nil {
		return err
	}
	return ctx.Err()
}

func (l *datedLock) Release(ctx context.Context) error {
	reply, err := l.slot.client.Txn(ctx).
		If(clientv3.Compare(clientv3.ModRevision(l.slot.key), "=", l.slot.revision)).
		Then(clientv3.OpDelete(l.slot.key)).
		Commit()
	if err != nil {
		return fmt.Errorf("delete %s: %w", l.slot.key, err)
	}
	if !reply.Succeeded {
		return workloads.WithoutEffect(errLost)
	}
	return nil
}
