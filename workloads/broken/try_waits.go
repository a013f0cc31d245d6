package broken

import (
	"context"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// tryWaits is a queueing lock whose try is an acquire that gives up after five
// seconds.
//
// Plausible: five seconds are as good as at once, for the one who wrote it. Who
// tries because it has better things to do than to wait, waits.
//
// Found by contract when a try meets a long hold.
func tryWaits() Specimen {
	return Specimen{Breaks: []string{contract}, Twin: "queue-lock", Subject: workloads.Subject{
		Name:    "try-waits",
		Summary: "a lock whose try is an acquire with a timeout",
		Origin:  history.Broken,
		Layout:  history.OldestKey,
		NewLock: func(s *workloads.Session, prefix string) workloads.Lock {
			return &patientQueue{newQueueLock(s, prefix)}
		},
	}}
}

// tryPatience is how long a try waits.
const tryPatience = 5 * time.Second

type patientQueue struct{ queueLock }

func (l *patientQueue) TryAcquire(ctx context.Context) (workloads.Grant, error) {
	within, cancel := context.WithTimeout(ctx, tryPatience) // the bug
	defer cancel()
	grant, err := l.Acquire(within)
	if err != nil && workloads.Certain(err) && within.Err() != nil && ctx.Err() == nil {
		return workloads.Grant{}, workloads.ErrTaken
	}
	return grant, err
}
