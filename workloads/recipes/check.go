package recipes

import (
	"context"
	"errors"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// errKeyGone refuses a hold whose key did not outlive the wait for it.
var errKeyGone = errors.New("the own key was gone when the wait for the older ones ended")

// patience is how long the clean-up after a failed check may take when the
// caller's context is over already.
const patience = 500 * time.Millisecond

// check asks etcd, with a linearizable read, for the key of a grant that a
// recipe has just reported, and refuses the grant if it is gone.
//
// The recipes queue up with a key on the session's lease and wait until all
// older keys are deleted. They do not look at their own. If the lease ends
// while they wait, etcd deletes their key, the waiter behind them sees one
// predecessor less, and both are let in. Once the older keys are gone for good
// (create revisions only grow, so no older key can ever come back), the own key
// alone decides: if it exists, with the revision at which it was made, at any
// moment after the wait, it is the oldest and the hold is true at that moment.
// concurrency.Mutex makes this read too, for the reason told in etcd#11456.
//
// What no check can close is the time after it: a lease that ends between the
// read in etcd and the caller's first act, or later, leaves a belief without a
// key. That is inherent to leases, and what fencing tokens are for.
//
// If etcd does not answer, the key may be in the queue still: remove is called
// to take it out, and the error says that nobody knows.
func check(ctx context.Context, client *clientv3.Client, grant workloads.Grant, remove func(context.Context) error) error {
	reply, err := client.Get(ctx, grant.Key)
	if err != nil {
		err = fmt.Errorf("check the own key: %w", err)
		if ctx.Err() != nil {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), patience)
			defer cancel()
		}
		if gone := remove(ctx); gone != nil {
			err = errors.Join(err, fmt.Errorf("remove the own key: %w", gone))
		}
		return err
	}
	if len(reply.Kvs) == 0 || reply.Kvs[0].CreateRevision != grant.Token {
		return workloads.WithoutEffect(errKeyGone)
	}
	return nil
}
