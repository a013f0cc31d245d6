package workloads

import (
	"errors"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"go.etcd.io/etcd/client/v3/concurrency"
)

// ErrTaken is returned by TryAcquire when another client holds the lock.
var ErrTaken = errors.New("the lock is held by another client")

// ErrNoLeader is returned by Leader when nobody leads.
var ErrNoLeader = errors.New("there is no leader")

// certainError marks an error after which the call certainly had no effect.
type certainError struct{ error }

func (e certainError) Unwrap() error { return e.error }

// WithoutEffect marks err: the call that returned it certainly had no effect.
// It returns nil for nil.
func WithoutEffect(err error) error {
	if err == nil {
		return nil
	}
	return certainError{err}
}

// definite are the errors by which etcd or its library refuses a request
// before it changed anything.
var definite = [...]error{
	ErrTaken,
	ErrNoLeader,
	ErrTooLittle,
	ErrDiffers,
	concurrency.ErrLocked,
	concurrency.ErrLockReleased,
	concurrency.ErrSessionExpired,
	concurrency.ErrElectionNotLeader,
	concurrency.ErrElectionNoLeader,
	rpctypes.ErrLeaseNotFound,
}

// Certain is true if a call that returned err certainly had no effect: the
// error was marked by WithoutEffect, or is one by which etcd refuses.
// Everything else, a deadline or a lost connection, leaves it unknown.
func Certain(err error) bool {
	var marked certainError
	if errors.As(err, &marked) {
		return true
	}
	for _, d := range definite {
		if errors.Is(err, d) {
			return true
		}
	}
	return false
}
