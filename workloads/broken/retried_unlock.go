package broken

import (
	"context"
	"fmt"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// retriedUnlock is a one-key lock whose release sees that its session is alive, so
// that the key must be its own, and deletes it, again and again until an answer
// comes.
//
// Plausible: a delete is idempotent, says everybody, so it may be retried. But the
// first may have worked: the next one deletes the key of who came in since.
//
// Found by exclusion when the answer to a release is lost while others wait.
func retriedUnlock() Specimen {
	return Specimen{Breaks: []string{exclusion}, Twin: "slot-lock", Subject: workloads.Subject{
		Name:    "retried-unlock",
		Summary: "a lock whose release deletes its key again when an answer does not come",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &persistentLock{newSlotLock(s, prefix)}
		},
	}}
}

// attemptPatience is how long an attempt to delete may take.
const attemptPatience = 300 * time.Millisecond

type persistentLock struct{ slotLock }

func (l *persistentLock) Release(ctx context.Context) error {
	select {
	case <-l.session.Session.Done():
		return workloads.WithoutEffect(errLost)
	default:
	}
	for {
		within, cancel := context.WithTimeout(ctx, attemptPatience)
		_, err := l.slot.client.Delete(within, l.slot.key) // the bug: the key of whoever has it now
		cancel()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("delete %s: %w", l.slot.key, err)
		}
	}
}
