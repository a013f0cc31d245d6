package broken

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// majorityOfKeys is a lock in the manner of Redlock: three keys, each on a lease
// of its own, and who has two of them holds the lock. What it has it keeps while it
// tries to get more.
//
// Plausible: majorities are safe, everybody knows. But the keys are not of one
// time: the first may have run out when the second is won, and the validity that
// is left is the part of the algorithm that is easily left out.
// See Kleppmann, "How to do distributed locking" (2016).
//
// Found by exclusion under contention.
func majorityOfKeys() Specimen {
	return Specimen{Breaks: []string{exclusion}, Twin: "own-lease-lock", Subject: workloads.Subject{
		Name:    "majority-of-keys",
		Summary: "a lock that is the majority of three keys, each with its own lease",
		Origin:  history.Broken,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &majorityLock{slots: [3]slot{{client: s.Client, key: prefix + "/a"}, {client: s.Client, key: prefix + "/b"}, {client: s.Client, key: prefix + "/c"}}}
		},
	}}
}

// betweenTries is the pause before the next attempt to get the missing keys.
const betweenTries = 30 * time.Millisecond

type majorityLock struct{ slots [3]slot }

func (l *majorityLock) Acquire(ctx context.Context) (workloads.Grant, error) {
	for {
		won := int64(0)
		for i := range l.slots {
			if err := l.take(ctx, &l.slots[i]); err != nil {
				return workloads.Grant{}, l.abandon(ctx, err)
			}
			if l.slots[i].revision > 0 { // the bug: it may have run out meanwhile
				won++
			}
		}
		if won >= 2 {
			return workloads.Grant{}, nil
		}
		timer := time.NewTimer(betweenTries)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return workloads.Grant{}, l.abandon(ctx, ctx.Err())
		}
	}
}

// take tries to get one of the keys, unless it has it.
func (l *majorityLock) take(ctx context.Context, key *slot) error {
	if key.revision > 0 {
		return nil
	}
	lease, err := key.client.Grant(ctx, briefTTL)
	if err != nil {
		return fmt.Errorf("grant a lease: %w", err)
	}
	if _, _, err := key.try(ctx, lease.ID); !errors.Is(err, workloads.ErrTaken) {
		return err
	}
	if _, err := key.client.Revoke(ctx, lease.ID); err != nil {
		return fmt.Errorf("revoke a lease that was not needed: %w", err)
	}
	return nil
}

func (l *majorityLock) abandon(ctx context.Context, failure error) error {
	ctx, cancel := cleanup(ctx)
	defer cancel()
	return errors.Join(failure, l.Release(ctx))
}

func (l *majorityLock) Release(ctx context.Context) error {
	var failures []error
	for i := range l.slots {
		if key := &l.slots[i]; key.revision > 0 {
			if err := key.release(ctx); err != nil && !workloads.Certain(err) {
				failures = append(failures, err)
			}
			key.revision = 0
		}
	}
	return errors.Join(failures...)
}
