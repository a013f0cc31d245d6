package broken

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// uncountedReaders is a read-write lock with one key for the writer, and one for
// the number of readers, which is read, changed and written back.
//
// Plausible: it is the textbook's read-write lock, with the counter in etcd instead
// of in memory. Two readers at once count as one; one that dies is counted for ever.
//
// Found by exclusion when a writer comes beside a reader that was not counted, or
// by progress when the count never comes to zero.
func uncountedReaders() Specimen {
	return Specimen{Breaks: []string{exclusion, progress}, Twin: "queue-rwlock", Subject: workloads.Subject{
		Name:    "uncounted-readers",
		Summary: "a read-write lock that counts its readers in one key, without a condition",
		Origin:  history.Broken,
		NewRWLock: func(s *workloads.Session, prefix string) workloads.RWLock {
			return &countedRWLock{session: s, slot: newSlot(s, prefix), readers: prefix + "/readers"}
		},
	}}
}

type countedRWLock struct {
	session *workloads.Session
	slot    slot // the writer's
	readers string
}

func (l *countedRWLock) AcquireRead(ctx context.Context) (workloads.Grant, error) {
	for {
		if _, err := l.count(ctx, +1); err != nil {
			return workloads.Grant{}, err
		}
		writer, err := l.slot.client.Get(ctx, l.slot.key)
		if err == nil && len(writer.Kvs) == 0 {
			return workloads.Grant{}, nil
		}
		within, cancel := cleanup(ctx)
		_, failure := l.count(within, -1)
		cancel()
		if err != nil || failure != nil {
			return workloads.Grant{}, errors.Join(err, failure)
		}
		if err := l.slot.wait(ctx, writer.Header.Revision); err != nil {
			return workloads.Grant{}, err
		}
	}
}

func (l *countedRWLock) ReleaseRead(ctx context.Context) error {
	_, err := l.count(ctx, -1)
	return err
}

// count changes the number of readers and returns it.
func (l *countedRWLock) count(ctx context.Context, change int) (int, error) {
	reply, err := l.slot.client.Get(ctx, l.readers)
	if err != nil {
		return 0, fmt.Errorf("read the number of readers: %w", err)
	}
	n := 0
	if len(reply.Kvs) > 0 {
		n, _ = strconv.Atoi(string(reply.Kvs[0].Value)) // only this lock writes it
	}
	n = max(n+change, 0)
	if change == 0 {
		return n, nil
	}
	if _, err := l.slot.client.Put(ctx, l.readers, strconv.Itoa(n)); err != nil { // the bug
		return 0, fmt.Errorf("write the number of readers: %w", err)
	}
	return n, nil
}

func (l *countedRWLock) Acquire(ctx context.Context) (workloads.Grant, error) {
	grant, err := l.slot.acquire(ctx, l.session.Session.Lease())
	if err != nil {
		return workloads.Grant{}, err
	}
	for {
		n, err := l.count(ctx, 0)
		if err == nil && n == 0 {
			return workloads.Grant{Token: grant.Token}, nil
		}
		timer := time.NewTimer(betweenTries)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			within, cancel := cleanup(ctx)
			defer cancel()
			return workloads.Grant{}, errors.Join(ctx.Err(), l.slot.release(within))
		}
	}
}

func (l *countedRWLock) Release(ctx context.Context) error { return l.slot.release(ctx) }
