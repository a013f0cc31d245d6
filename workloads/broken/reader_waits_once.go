package broken

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// readerWaitsOnce is a read-write lock whose readers wait until the writer that
// writes is gone, and do not look whether there is another.
//
// Plausible: one wait for one writer; that a second writer is ahead of the reader
// too is rare, until it is not.
//
// Found by exclusion and by ownership when two writers are ahead of a reader.
func readerWaitsOnce() Specimen {
	return Specimen{Breaks: []string{exclusion, ownership}, Twin: "queue-rwlock", Subject: workloads.Subject{
		Name:    "reader-waits-once",
		Summary: "a read-write lock whose readers wait for the first writer only",
		Origin:  history.Broken,
		Layout:  history.ReadWriteKeys,
		NewRWLock: func(s *workloads.Session, prefix string) workloads.RWLock {
			return &hurriedRWLock{newQueueRWLock(s, prefix)}
		},
	}}
}

type hurriedRWLock struct{ queueRWLock }

func (l *hurriedRWLock) AcquireRead(ctx context.Context) (workloads.Grant, error) {
	return l.enter(ctx, reading, func(own claim) error {
		older := append(clientv3.WithFirstCreate(), clientv3.WithMaxCreateRev(own.revision-1))
		reply, err := own.client.Get(ctx, l.prefix+writing, older...)
		if err != nil {
			return fmt.Errorf("find an older writer: %w", err)
		}
		if len(reply.Kvs) == 0 {
			return nil
		}
		// The bug: it is not asked again.
		return awaitDelete(ctx, own.client, string(reply.Kvs[0].Key), reply.Header.Revision)
	})
}
