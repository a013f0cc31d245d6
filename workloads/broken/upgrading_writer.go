package broken

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// upgradingWriter is a read-write lock whose writer first reads, to see whether
// there is anything to write, and then waits for the other readers to go.
//
// Plausible: the upgrade spares the readers a writer that has nothing to do. But
// two that upgrade at a time each wait for the other to stop reading.
//
// Found by progress when two write.
func upgradingWriter() Specimen {
	return Specimen{Breaks: []string{progress}, Twin: "queue-rwlock", Subject: workloads.Subject{
		Name:    "upgrading-writer",
		Summary: "a read-write lock whose writers begin as readers and wait for the others",
		Origin:  history.Broken,
		Layout:  history.ReadWriteKeys,
		NewRWLock: func(s *workloads.Session, prefix string) workloads.RWLock {
			return &upgradingRWLock{newQueueRWLock(s, prefix)}
		},
	}}
}

type upgradingRWLock struct{ queueRWLock }

func (l *upgradingRWLock) Acquire(ctx context.Context) (workloads.Grant, error) {
	if _, err := l.AcquireRead(ctx); err != nil {
		return workloads.Grant{}, err
	}
	reader := l.own
	grant, err := l.enter(ctx, writing, func(own claim) error {
		if err := own.wait(ctx, l.prefix+writing); err != nil {
			return err
		}
		// The bug: each of two waits here for the other, which has its reader's
		// key still.
		return own.waitForOthers(ctx, l.prefix+reading, reader.key)
	})
	// It reads no more, whether it writes or not.
	within, cancel := cleanup(ctx)
	defer cancel()
	failure := reader.withdraw(within)
	switch {
	case err != nil && failure != nil && !workloads.Certain(failure):
		return workloads.Grant{}, fmt.Errorf("stop reading after %v: %w", err, failure)
	case err != nil:
		return workloads.Grant{}, err
	case failure != nil:
		return workloads.Grant{}, errors.Join(failure, l.own.withdraw(within))
	}
	return grant, nil
}

// waitForOthers returns nil when every older key that starts with prefix is
// gone, but for the one that is left out.
func (c claim) waitForOthers(ctx context.Context, prefix, but string) error {
	older := append(clientv3.WithLastCreate(), clientv3.WithMaxCreateRev(c.revision-1), clientv3.WithLimit(0))
	for {
		reply, err := c.client.Get(ctx, prefix, older...)
		if err != nil {
			return fmt.Errorf("find an older key: %w", err)
		}
		i := slices.IndexFunc(reply.Kvs, func(kv *mvccpb.KeyValue) bool { return string(kv.Key) != but })
		if i < 0 {
			return nil
		}
		if err := awaitDelete(ctx, c.client, string(reply.Kvs[i].Key), reply.Header.Revision); err != nil {
			return err
		}
	}
}
