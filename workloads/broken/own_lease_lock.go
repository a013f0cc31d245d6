package broken

import (
	"context"
	"errors"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// ownLeaseLock is a one-key lock on a lease of its own, which it keeps alive
// from the acquire to the release, and is right: the twin of the locks whose
// leases run out.
type ownLeaseLock struct {
	slot  slot
	lease clientv3.LeaseID
	// stop ends the renewal.
	stop context.CancelFunc
}

var _ workloads.TryLock = (*ownLeaseLock)(nil)

// ownTTL is in seconds.
const ownTTL = 2

// Acquire waits until it can create the key.
func (l *ownLeaseLock) Acquire(ctx context.Context) (workloads.Grant, error) {
	return l.leased(ctx, func() (workloads.Grant, error) { return l.slot.acquire(ctx, l.lease) })
}

// TryAcquire creates the key, or returns workloads.ErrTaken.
func (l *ownLeaseLock) TryAcquire(ctx context.Context) (workloads.Grant, error) {
	return l.leased(ctx, func() (workloads.Grant, error) {
		grant, _, err := l.slot.try(ctx, l.lease)
		return grant, err
	})
}

// leased makes a lease, keeps it alive, and takes the lock on it.
func (l *ownLeaseLock) leased(ctx context.Context, take func() (workloads.Grant, error)) (workloads.Grant, error) {
	made, err := l.slot.client.Grant(ctx, ownTTL)
	if err != nil {
		return workloads.Grant{}, workloads.WithoutEffect(fmt.Errorf("grant a lease: %w", err))
	}
	renewing, stop := context.WithCancel(l.slot.client.Ctx())
	alive, err := l.slot.client.KeepAlive(renewing, made.ID)
	if err != nil {
		stop()
		return workloads.Grant{}, workloads.WithoutEffect(fmt.Errorf("keep the lease alive: %w", err))
	}
	go func() {
		for range alive { // its answers are not needed; it ends with its context
		}
	}()
	l.lease, l.stop = made.ID, stop
	grant, err := take()
	if err == nil {
		return grant, nil
	}
	return workloads.Grant{}, l.giveUp(ctx, err)
}

// giveUp ends the lease, and with it the key if there is one.
func (l *ownLeaseLock) giveUp(ctx context.Context, failure error) error {
	l.stop()
	ctx, cancel := cleanup(ctx)
	defer cancel()
	if _, err := l.slot.client.Revoke(ctx, l.lease); err != nil {
		return fmt.Errorf("end the own lease after %v: %w", failure, err)
	}
	if errors.Is(failure, workloads.ErrTaken) {
		return failure
	}
	return workloads.WithoutEffect(failure)
}

// Release deletes the key and ends the lease.
func (l *ownLeaseLock) Release(ctx context.Context) error {
	err := l.slot.release(ctx)
	l.stop()
	if err != nil {
		return err
	}
	if _, err := l.slot.client.Revoke(ctx, l.lease); err != nil {
		return fmt.Errorf("end the own lease: %w", err)
	}
	return nil
}
