package broken

import (
	"context"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// outlivedTTL is a one-key lock that makes a lease of one second for each
// acquire, gives it back with the lock, and does not renew it in between.
//
// Plausible: unlike short-ttl it never starts on a used-up lease, and the time was
// measured: the work is done well within a second, on a good day.
//
// Found by exclusion whenever work lasts longer than the lease.
func outlivedTTL() Specimen {
	return Specimen{Breaks: []string{exclusion}, Twin: "own-lease-lock", Subject: workloads.Subject{
		Name:    "outlived-ttl",
		Summary: "a lock on a fresh one-second lease for each acquire, and work that takes longer",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &tightLock{briefLock{slot: newSlot(s, prefix), ttl: briefTTL}}
		},
	}}
}

type tightLock struct{ briefLock }

var _ workloads.TryLock = (*tightLock)(nil)

func (l *tightLock) Acquire(ctx context.Context) (workloads.Grant, error) {
	l.lease = clientv3.NoLease // the bug: nobody will keep the new one alive
	return l.briefLock.Acquire(ctx)
}

func (l *tightLock) TryAcquire(ctx context.Context) (workloads.Grant, error) {
	l.lease = clientv3.NoLease // the bug
	return l.briefLock.TryAcquire(ctx)
}
