package broken

import (
	"context"
	"errors"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// tryFromCache is a one-key lock whose try refuses without asking if the lock was
// taken when it was last seen, up to a second ago.
//
// Plausible: whoever tries does so in a loop, and most of its requests were for
// nothing. But the one who has just released may have been the last, and the lock
// is refused while it is free.
//
// Found by refusal.
func tryFromCache() Specimen {
	return Specimen{Breaks: []string{refusal}, Twin: "slot-lock", Subject: workloads.Subject{
		Name:    "try-from-cache",
		Summary: "a lock whose try goes by what it saw within the last second",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &lazyTryLock{slotLock: newSlotLock(s, prefix)}
		},
	}}
}

// takenFor is how long a lock that was seen taken is believed to be.
const takenFor = time.Second

type lazyTryLock struct {
	slotLock
	taken time.Time
}

func (l *lazyTryLock) TryAcquire(ctx context.Context) (workloads.Grant, error) {
	if time.Since(l.taken) < takenFor {
		return workloads.Grant{}, workloads.ErrTaken // the bug: it was
	}
	grant, err := l.slotLock.TryAcquire(ctx)
	if errors.Is(err, workloads.ErrTaken) {
		l.taken = time.Now()
	}
	return grant, err
}
