package broken

import (
	"context"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// silentUnlock is a one-key lock whose release has half a second, and whose errors
// go nowhere.
//
// Plausible: it is called by a defer, where errors have no place to go, and must
// not hang. But nobody learns that the lock is still taken, and the client goes on
// with the session that keeps it so.
//
// Found by leftovers when a holder is cut off.
func silentUnlock() Specimen {
	return Specimen{Breaks: []string{leftovers}, Twin: "slot-lock", Subject: workloads.Subject{
		Name:    "silent-unlock",
		Summary: "a lock whose release gives up soon and reports success",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &silentLock{newSlotLock(s, prefix)}
		},
	}}
}

type silentLock struct{ slotLock }

func (l *silentLock) Release(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_ = l.slotLock.Release(ctx) // the bug
	return nil
}
