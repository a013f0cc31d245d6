package broken

import (
	"context"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// cachedOwner is a one-key lock that asks who owns it at most once in a fifth of a
// second, and in between goes by what it was told last. It takes what it believes
// to be free without a condition.
//
// Plausible: the reads were most of the load, and locks are free most of the time.
//
// Found by exclusion when a client believes that the lock is free which another
// has taken meanwhile.
func cachedOwner() Specimen {
	return Specimen{Breaks: []string{exclusion, ownership}, Twin: "slot-lock", Subject: workloads.Subject{
		Name:    "cached-owner",
		Summary: "a lock that believes for a while what it read last of its owner",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &forgetfulLock{slotLock: newSlotLock(s, prefix)}
		},
	}}
}

// believedFor is how long an answer is believed.
const believedFor = 200 * time.Millisecond

type forgetfulLock struct {
	slotLock
	asked time.Time
	free  bool
	seen  int64
}

func (l *forgetfulLock) Acquire(ctx context.Context) (workloads.Grant, error) {
	for {
		if time.Since(l.asked) > believedFor {
			reply, err := l.slot.client.Get(ctx, l.slot.key)
			if err != nil {
				return workloads.Grant{}, workloads.WithoutEffect(fmt.Errorf("look at the lock: %w", err))
			}
			l.asked, l.free, l.seen = time.Now(), len(reply.Kvs) == 0, reply.Header.Revision
		}
		if l.free { // the bug: it was
			break
		}
		if err := l.slot.wait(ctx, l.seen); err != nil {
			return workloads.Grant{}, err
		}
		l.free = true
	}
	reply, err := l.slot.client.Put(ctx, l.slot.key, "", clientv3.WithLease(l.session.Session.Lease()))
	if err != nil {
		return workloads.Grant{}, fmt.Errorf("put %s: %w", l.slot.key, err)
	}
	l.slot.revision = reply.Header.Revision
	return workloads.Grant{Key: l.slot.key, Token: l.slot.revision}, nil
}

func (l *forgetfulLock) TryAcquire(ctx context.Context) (workloads.Grant, error) {
	l.asked, l.free = time.Now(), false
	return l.slotLock.TryAcquire(ctx)
}
