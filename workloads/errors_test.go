package workloads

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"go.etcd.io/etcd/client/v3/concurrency"
)

// What is not known must never be taken as "no effect".
func TestOnlyRefusalsAreCertain(t *testing.T) {
	for _, err := range []error{
		ErrTaken, ErrNoLeader, concurrency.ErrLocked, concurrency.ErrLockReleased, concurrency.ErrSessionExpired, concurrency.ErrElectionNotLeader,
		rpctypes.ErrLeaseNotFound, fmt.Errorf("wrapped: %w", rpctypes.ErrLeaseNotFound), WithoutEffect(errors.New("any")),
		fmt.Errorf("wrapped: %w", WithoutEffect(errors.New("any"))),
	} {
		if !Certain(err) {
			t.Errorf("%v is certain", err)
		}
	}
	for _, err := range []error{
		context.Canceled, context.DeadlineExceeded, rpctypes.ErrTimeout, rpctypes.ErrNoLeader, rpctypes.ErrLeaderChanged,
		rpctypes.ErrCompacted, errors.New("mutex: Locked by another session"),
	} {
		if Certain(err) {
			t.Errorf("%v leaves it unknown", err)
		}
	}
	if WithoutEffect(nil) != nil {
		t.Error("no error became one")
	}
}
