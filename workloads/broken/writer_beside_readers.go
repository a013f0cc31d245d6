package broken

import (
	"context"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// writerBesideReaders is a read-write lock whose writers queue up with each other
// and do not look at readers.
//
// Plausible: readers wait for writers, as they must, so that "there is no reader
// while a writer writes" looks done. But who reads already does not wait any more.
//
// Found by exclusion and by ownership when a writer comes while one reads.
func writerBesideReaders() Specimen {
	return Specimen{Breaks: []string{exclusion, ownership}, Twin: "queue-rwlock", Subject: workloads.Subject{
		Name:    "writer-beside-readers",
		Summary: "a read-write lock whose writers wait for writers only",
		Origin:  history.Broken,
		Layout:  history.ReadWriteKeys,
		NewRWLock: func(s *workloads.Session, prefix string) workloads.RWLock {
			return &recklessRWLock{newQueueRWLock(s, prefix)}
		},
	}}
}

type recklessRWLock struct{ queueRWLock }

func (l *recklessRWLock) Acquire(ctx context.Context) (workloads.Grant, error) {
	return l.enter(ctx, writing, func(own claim) error { return own.wait(ctx, l.prefix+writing) }) // the bug
}
