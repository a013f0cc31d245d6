package broken

import (
	"context"
	"fmt"
	"os"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// ownerByName is a one-key lock whose value is the host and process that hold it,
// and whose release deletes the key if it finds its own name there.
//
// Plausible: it does compare before it deletes, as the books say; but all clients
// of one process have one name. After a lease ended the release of its former
// holder deletes the next one's key.
//
// Found by exclusion when a holder loses its lease, does not notice, and
// releases while another client of the process holds.
func ownerByName() Specimen {
	return Specimen{Breaks: []string{exclusion}, Twin: "slot-lock", Subject: workloads.Subject{
		Name:    "owner-by-name",
		Summary: "a lock that takes the key for its own if the process name in it is",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &namedLock{newSlotLock(s, prefix)}
		},
	}}
}

// processName is what all clients of this process would call themselves.
func processName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return fmt.Sprintf("%s:%d", host, os.Getpid())
}

type namedLock struct{ slotLock }

func (l *namedLock) Acquire(ctx context.Context) (workloads.Grant, error) {
	l.slot.value = processName()
	return l.slotLock.Acquire(ctx)
}

func (l *namedLock) TryAcquire(ctx context.Context) (workloads.Grant, error) {
	l.slot.value = processName()
	return l.slotLock.TryAcquire(ctx)
}

func (l *namedLock) Release(ctx context.Context) error {
	reply, err := l.slot.client.Txn(ctx).
		If(clientv3.Compare(clientv3.Value(l.slot.key), "=", l.slot.value)). // the bug: it says who, not which time
		Then(clientv3.OpDelete(l.slot.key)).
		Commit()
	if err != nil {
		return fmt.Errorf("delete %s: %w", l.slot.key, err)
	}
	if !reply.Succeeded {
		return workloads.WithoutEffect(errLost)
	}
	return nil
}
