package broken

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// readerBesideWriter is a read-write lock whose readers join other readers
// without waiting, and take a reader that waits for one that reads.
//
// Plausible: readers may share, so a reader that sees an older reader's key
// needs no turn of its own: a writer cannot be inside. But keys are put before
// the wait, not after it: that older reader may be waiting for the writer.
//
// Found by exclusion and by ownership when two readers come while a writer
// holds: the first waits, the second walks in.
func readerBesideWriter() Specimen {
	return Specimen{Breaks: []string{exclusion, ownership}, Twin: "queue-rwlock", Subject: workloads.Subject{
		Name:    "reader-beside-writer",
		Summary: "a read-write lock whose readers follow readers that are still waiting",
		Origin:  history.Broken,
		Layout:  history.ReadWriteKeys,
		NewRWLock: func(s *workloads.Session, prefix string) workloads.RWLock {
			return &followingRWLock{queue{session: s, prefix: prefix}}
		},
	}}
}

type followingRWLock struct{ queue }

func (l *followingRWLock) AcquireRead(ctx context.Context) (workloads.Grant, error) {
	return l.enter(ctx, reading, func(own claim) error {
		older := append(clientv3.WithFirstCreate(), clientv3.WithMaxCreateRev(own.revision-1))
		reply, err := own.client.Get(ctx, l.prefix+reading, older...)
		if err != nil {
			return fmt.Errorf("find an older reader: %w", err)
		}
		if len(reply.Kvs) > 0 {
			return nil // the bug: it may be waiting itself
		}
		return own.wait(ctx, l.prefix+writing)
	})
}

func (l *followingRWLock) Acquire(ctx context.Context) (workloads.Grant, error) {
	return l.enter(ctx, writing, func(own claim) error { return own.wait(ctx, l.prefix+"/") })
}
