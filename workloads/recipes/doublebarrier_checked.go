package recipes

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// entered is the value of the keys of those who are in; who waits has "".
const entered = "in"

// CheckedDoubleBarrier is a double barrier without the defects of etcd's.
//
// Who comes has one key, named after its lease and on it, however often it
// calls. Whoever sees that enough have come, and that nobody is in, lets the
// oldest of them in with one transaction, which marks their keys and succeeds
// only if all of these are still there and nobody else has opened since. So at
// its revision all of the group are there; and one that was not let in does not
// enter. Who waits looks again when a watch has told something, or was
// cancelled. Who leaves deletes its key and waits until nobody is in, or until
// a group is in to which it does not belong: its own has left then.
//
// A transaction of etcd compares up to 128 keys, so that a group can have 127.
type CheckedDoubleBarrier struct {
	client  *clientv3.Client
	lease   clientv3.LeaseID
	prefix  string
	key     string
	permits int
	// group is the revision at which the caller's group was let in.
	group int64
}

var _ workloads.DoubleBarrier = (*CheckedDoubleBarrier)(nil)

// NewCheckedDoubleBarrier returns the corrected double barrier on prefix for a
// number of clients.
func NewCheckedDoubleBarrier(s *workloads.Session, prefix string, permits int) *CheckedDoubleBarrier {
	lease := s.Session.Lease()
	return &CheckedDoubleBarrier{
		client: s.Client, lease: lease, prefix: prefix + "/", permits: permits,
		key: prefix + "/waiters/" + strconv.FormatInt(int64(lease), 16),
	}
}

// Enter waits until enough clients have come.
func (b *CheckedDoubleBarrier) Enter(ctx context.Context) error {
	created, err := b.come(ctx)
	if err != nil {
		return err
	}
	for {
		seen, err := b.look(ctx)
		if err != nil {
			return b.withdraw(ctx, err)
		}
		own := seen.find(b.key)
		switch {
		case own == nil || own.CreateRevision != created:
			return errKeyGone // it may have been let in before, and others with it
		case string(own.Value) == entered:
			b.group = own.ModRevision
			return nil
		case len(seen.in) == 0 && len(seen.waiting) >= b.permits:
			err = b.open(ctx, seen)
		default:
			err = await(ctx, b.client, nil, b.prefix, seen.revision, clientv3.WithPrefix())
		}
		if err != nil {
			return b.withdraw(ctx, err)
		}
	}
}

// come puts the own key and returns its create revision. One that a call which
// failed has left is deleted first: it may have been let in before this call.
func (b *CheckedDoubleBarrier) come(ctx context.Context) (int64, error) {
	for {
		reply, err := b.client.Txn(ctx).If(clientv3.Compare(clientv3.Version(b.key), "=", 0)).
			Then(clientv3.OpPut(b.key, "", clientv3.WithLease(b.lease))).Else(clientv3.OpDelete(b.key)).Commit()
		if err != nil {
			return 0, fmt.Errorf("put the own key: %w", err)
		}
		if reply.Succeeded {
			return reply.Header.Revision, nil
		}
	}
}

// withdraw takes the own key back after err, if it can. The caller may have been
// let in meanwhile.
func (b *CheckedDoubleBarrier) withdraw(ctx context.Context, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if _, gone := b.client.Delete(ctx, b.key); gone != nil {
		err = errors.Join(err, fmt.Errorf("remove the own key: %w", gone))
	}
	return err
}

// open lets in the oldest of those who wait. That somebody else did, or that one
// of them is gone, is no error: the caller looks again.
func (b *CheckedDoubleBarrier) open(ctx context.Context, seen *members) error {
	opened := b.prefix + "opened"
	conditions := []clientv3.Cmp{clientv3.Compare(clientv3.ModRevision(opened), "=", seen.opened)}
	changes := []clientv3.Op{clientv3.OpPut(opened, "")}
	for _, kv := range seen.waiting[:b.permits] {
		conditions = append(conditions, clientv3.Compare(clientv3.CreateRevision(string(kv.Key)), "=", kv.CreateRevision))
		changes = append(changes, clientv3.OpPut(string(kv.Key), entered, clientv3.WithIgnoreLease()))
	}
	if _, err := b.client.Txn(ctx).If(conditions...).Then(changes...).Commit(); err != nil {
		return fmt.Errorf("let the group in: %w", err)
	}
	return nil
}

// Leave waits until all of the group have left.
func (b *CheckedDoubleBarrier) Leave(ctx context.Context) error {
	if _, err := b.client.Delete(ctx, b.key); err != nil {
		return fmt.Errorf("delete the own key: %w", err)
	}
	for {
		seen, err := b.look(ctx)
		if err != nil {
			return err
		}
		if !seen.has(b.group) {
			return nil
		}
		if err := await(ctx, b.client, nil, b.prefix, seen.revision, clientv3.WithPrefix()); err != nil {
			return err
		}
	}
}

// members are the keys of a double barrier at one revision, the oldest first.
type members struct {
	revision int64
	// opened is the last revision at which a group was let in, or zero.
	opened      int64
	waiting, in []*mvccpb.KeyValue
}

func (b *CheckedDoubleBarrier) look(ctx context.Context) (*members, error) {
	found, err := b.client.Get(ctx, b.prefix, clientv3.WithPrefix(), clientv3.WithSort(clientv3.SortByCreateRevision, clientv3.SortAscend))
	if err != nil {
		return nil, fmt.Errorf("look who is there: %w", err)
	}
	m := &members{revision: found.Header.Revision}
	for _, kv := range found.Kvs {
		switch {
		case string(kv.Key) == b.prefix+"opened":
			m.opened = kv.ModRevision
		case string(kv.Value) == entered:
			m.in = append(m.in, kv)
		default:
			m.waiting = append(m.waiting, kv)
		}
	}
	return m, nil
}

func (m *members) find(key string) *mvccpb.KeyValue {
	for _, list := range [][]*mvccpb.KeyValue{m.waiting, m.in} {
		for _, kv := range list {
			if string(kv.Key) == key {
				return kv
			}
		}
	}
	return nil
}

// has is true if anybody who was let in at a revision is still in.
func (m *members) has(group int64) bool {
	for _, kv := range m.in {
		if kv.ModRevision == group {
			return true
		}
	}
	return false
}
