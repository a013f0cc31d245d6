package broken

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// doubleBarrierCountsArrivals is a double barrier that numbers those who come, and
// lets a group in when the number of its last has been drawn.
//
// Plausible: a counter is one key to look at instead of many, and it is right as
// long as nobody dies or gives up. Who did has come all the same.
//
// Found by passage when a client dies or gives up while it waits for the others.
func doubleBarrierCountsArrivals() Specimen {
	return Specimen{Breaks: []string{passage}, Twin: "double-barrier-checked", Subject: workloads.Subject{
		Name:    "double-barrier-counts-arrivals",
		Summary: "a double barrier that counts who has come, and not who is there",
		Origin:  history.Broken,
		Layout:  history.MemberKeys,
		NewDoubleBarrier: func(s *workloads.Session, prefix string, permits int) workloads.DoubleBarrier {
			return &arrivals{session: s, prefix: prefix + "/", key: memberKey(s, prefix), permits: int64(permits)}
		},
	}}
}

type arrivals struct {
	session     *workloads.Session
	prefix, key string
	permits     int64
	// entered is the revision at which the group was seen to be complete.
	entered int64
}

func (b *arrivals) Enter(ctx context.Context) error {
	number, err := b.arrive(ctx)
	if err != nil {
		return b.withdraw(ctx, err)
	}
	last := (number + b.permits - 1) / b.permits * b.permits // of the caller's group
	for {
		drawn, seen, err := b.drawn(ctx)
		if err == nil && drawn.number >= last { // the bug: they may be gone
			b.entered = seen
			return nil
		}
		if err == nil {
			err = awaitChange(ctx, b.session.Client, b.prefix, seen)
		}
		if err != nil {
			return b.withdraw(ctx, err)
		}
	}
}

// tally is the last number that was drawn, and the revision that made it.
type tally struct{ number, made int64 }

// drawn reads the tally, and the revision at which it was read.
func (b *arrivals) drawn(ctx context.Context) (t tally, seen int64, err error) {
	reply, err := b.session.Client.Get(ctx, b.prefix+"arrived")
	if err != nil {
		return tally{}, 0, fmt.Errorf("read who has come: %w", err)
	}
	if len(reply.Kvs) > 0 {
		t.made = reply.Kvs[0].ModRevision
		if t.number, err = strconv.ParseInt(string(reply.Kvs[0].Value), 10, 64); err != nil {
			return tally{}, 0, fmt.Errorf("read who has come: %w", err)
		}
	}
	return t, reply.Header.Revision, nil
}

// arrive puts the own key and draws a number, in one transaction.
func (b *arrivals) arrive(ctx context.Context) (int64, error) {
	for {
		before, _, err := b.drawn(ctx)
		if err != nil {
			return 0, err
		}
		number := before.number + 1
		reply, err := b.session.Client.Txn(ctx).
			If(clientv3.Compare(clientv3.ModRevision(b.prefix+"arrived"), "=", before.made)).
			Then(clientv3.OpPut(b.prefix+"arrived", strconv.FormatInt(number, 10)), clientv3.OpPut(b.key, "", clientv3.WithLease(b.session.Session.Lease()))).
			Commit()
		if err != nil {
			return 0, fmt.Errorf("draw a number: %w", err)
		}
		if reply.Succeeded {
			return number, nil
		}
	}
}

// withdraw takes the own key back after a failure, which it returns.
func (b *arrivals) withdraw(ctx context.Context, failure error) error {
	ctx, cancel := cleanup(ctx)
	defer cancel()
	if _, err := b.session.Client.Delete(ctx, b.key); err != nil {
		return errors.Join(failure, fmt.Errorf("delete the own key: %w", err))
	}
	return failure
}

// Leave deletes the own key and waits until the keys that were there when the
// caller entered are gone.
func (b *arrivals) Leave(ctx context.Context) error {
	if _, err := b.session.Client.Delete(ctx, b.key); err != nil {
		return fmt.Errorf("delete the own key: %w", err)
	}
	for {
		reply, err := b.session.Client.Get(ctx, b.prefix+"waiters/", clientv3.WithPrefix(), clientv3.WithKeysOnly(), clientv3.WithMaxCreateRev(b.entered))
		if err != nil {
			return fmt.Errorf("look who is there: %w", err)
		}
		if len(reply.Kvs) == 0 {
			return nil
		}
		if err := awaitChange(ctx, b.session.Client, b.prefix, reply.Header.Revision); err != nil {
			return err
		}
	}
}
