package broken

import (
	"context"
	"errors"
	"fmt"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// unlockByAnyone is a one-key lock whose release deletes the key whoever made
// it, and whose waiters, when they give up, "clean up" by releasing.
//
// Plausible: there is one key, its name is known, and deleting it is what
// unlocking means; a deferred Unlock after a Lock that timed out does the rest.
// It is the classic mistake with Redis locks, which is why those store a token
// and compare it before they delete.
//
// Found by exclusion and by ownership, without any fault, as soon as an acquire
// gives up while another client holds: the holder's key goes and the next waiter
// gets in. A release after the lease ended does the same to the next holder.
func unlockByAnyone() Specimen {
	return Specimen{Breaks: []string{exclusion, ownership}, Twin: "slot-lock", Subject: workloads.Subject{
		Name:    "unlock-by-anyone",
		Summary: "a lock whose release, and whose waiters that give up, delete anybody's key",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &carelessLock{session: s, slot: newSlot(s, prefix)}
		},
	}}
}

type carelessLock struct {
	session *workloads.Session
	slot    slot
}

var _ workloads.TryLock = (*carelessLock)(nil)

func (l *carelessLock) Acquire(ctx context.Context) (workloads.Grant, error) {
	for {
		grant, seen, err := l.slot.try(ctx, l.session.Session.Lease())
		if !errors.Is(err, workloads.ErrTaken) {
			return grant, err
		}
		if err := l.slot.wait(ctx, seen); err != nil {
			ctx, cancel := cleanup(ctx)
			defer cancel()
			if failure := l.Release(ctx); failure != nil { // the bug
				return workloads.Grant{}, fmt.Errorf("clean up after %v: %w", err, failure)
			}
			return workloads.Grant{}, err
		}
	}
}

func (l *carelessLock) TryAcquire(ctx context.Context) (workloads.Grant, error) {
	grant, _, err := l.slot.try(ctx, l.session.Session.Lease())
	return grant, err
}

func (l *carelessLock) Release(ctx context.Context) error {
	if _, err := l.slot.client.Delete(ctx, l.slot.key); err != nil { // the bug
		return fmt.Errorf("delete %s: %w", l.slot.key, err)
	}
	return nil
}
