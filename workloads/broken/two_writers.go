package broken

import (
	"context"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// twoWriters is a read-write lock whose writers wait for readers only.
//
// Plausible: "readers wait for writers, writers wait for readers" is pleasingly
// symmetric, and right as long as there is one writer, as in many tests.
//
// Found by exclusion and by ownership as soon as two clients write at a time.
func twoWriters() Specimen {
	return Specimen{Breaks: []string{exclusion, ownership}, Twin: "queue-rwlock", Subject: workloads.Subject{
		Name:    "two-writers",
		Summary: "a read-write lock whose writers do not wait for writers",
		Origin:  history.Broken,
		Layout:  history.ReadWriteKeys,
		NewRWLock: func(s *workloads.Session, prefix string) workloads.RWLock {
			return &symmetricRWLock{queue{session: s, prefix: prefix}}
		},
	}}
}

type symmetricRWLock struct{ queue }

func (l *symmetricRWLock) AcquireRead(ctx context.Context) (workloads.Grant, error) {
	return l.enter(ctx, reading, func(own claim) error { return own.wait(ctx, l.prefix+writing) })
}

func (l *symmetricRWLock) Acquire(ctx context.Context) (workloads.Grant, error) {
	// The bug: nobody waits for older writers.
	return l.enter(ctx, writing, func(own claim) error { return own.wait(ctx, l.prefix+reading) })
}
