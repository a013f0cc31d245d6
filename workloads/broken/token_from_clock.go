package broken

import (
	"context"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// tokenFromClock is a one-key lock whose fencing token is the time in milliseconds,
// taken when the caller asks.
//
// Plausible: time rises, and a timestamp in the resource helps when something has
// to be explained. But who asked first need not get the lock first: a client that
// waited long comes with an old token after one that did not wait at all. (Clocks
// of two hosts that differ do the same.)
//
// Found by fencing under contention.
func tokenFromClock() Specimen {
	return Specimen{Breaks: []string{fencing}, Twin: "slot-lock", Subject: workloads.Subject{
		Name:    "token-from-clock",
		Summary: "a lock whose fencing token is the time at which it was asked for",
		Origin:  history.Broken,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &clockLock{newSlotLock(s, prefix)}
		},
	}}
}

type clockLock struct{ slotLock }

func (l *clockLock) Acquire(ctx context.Context) (workloads.Grant, error) {
	token := time.Now().UnixMilli() // the bug
	_, err := l.slotLock.Acquire(ctx)
	if err != nil {
		return workloads.Grant{}, err
	}
	return workloads.Grant{Token: token}, nil
}

func (l *clockLock) TryAcquire(ctx context.Context) (workloads.Grant, error) {
	token := time.Now().UnixMilli() // the bug
	_, err := l.slotLock.TryAcquire(ctx)
	if err != nil {
		return workloads.Grant{}, err
	}
	return workloads.Grant{Token: token}, nil
}
