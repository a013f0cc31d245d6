package broken

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// readerFreesAll is a read-write lock whose reader, when it leaves, deletes every
// reader's key.
//
// Plausible: with one reader it is the same, and the directory is tidy. With more
// a writer finds nobody while others read.
//
// Found by exclusion when two read and a writer waits.
func readerFreesAll() Specimen {
	return Specimen{Breaks: []string{exclusion}, Twin: "queue-rwlock", Subject: workloads.Subject{
		Name:    "reader-frees-all",
		Summary: "a read-write lock whose readers take all readers with them when they leave",
		Origin:  history.Broken,
		Layout:  history.ReadWriteKeys,
		NewRWLock: func(s *workloads.Session, prefix string) workloads.RWLock {
			return &sweepingRWLock{newQueueRWLock(s, prefix)}
		},
	}}
}

type sweepingRWLock struct{ queueRWLock }

func (l *sweepingRWLock) ReleaseRead(ctx context.Context) error {
	if _, err := l.session.Client.Delete(ctx, l.prefix+reading, clientv3.WithPrefix()); err != nil { // the bug
		return fmt.Errorf("delete the reader's key: %w", err)
	}
	return nil
}
