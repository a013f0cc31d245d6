package broken

import (
	"context"
	"errors"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// tokenOfFirstTry is a one-key lock whose fencing token is the store's revision at
// its first attempt, not at the one that succeeded.
//
// Plausible: revisions rise, and the first answer has one. It is the right one for
// whoever need not wait.
//
// Found by fencing under contention: who waited has an older token than who came
// later and was served first.
func tokenOfFirstTry() Specimen {
	return Specimen{Breaks: []string{fencing}, Twin: "slot-lock", Subject: workloads.Subject{
		Name:    "token-of-first-try",
		Summary: "a lock whose fencing token is the revision at which it was first asked for",
		Origin:  history.Broken,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &earlyTokenLock{newSlotLock(s, prefix)}
		},
	}}
}

type earlyTokenLock struct{ slotLock }

func (l *earlyTokenLock) Acquire(ctx context.Context) (workloads.Grant, error) {
	first := int64(0)
	for {
		grant, seen, err := l.slot.try(ctx, l.session.Session.Lease())
		if first == 0 {
			first = max(seen, grant.Token)
		}
		if err == nil {
			return workloads.Grant{Token: first}, nil // the bug: grant.Token is the one
		}
		if !errors.Is(err, workloads.ErrTaken) {
			return workloads.Grant{}, err
		}
		if err := l.slot.wait(ctx, seen); err != nil {
			return workloads.Grant{}, err
		}
	}
}

func (l *earlyTokenLock) TryAcquire(ctx context.Context) (workloads.Grant, error) {
	grant, err := l.slotLock.TryAcquire(ctx)
	return workloads.Grant{Token: grant.Token}, err
}
