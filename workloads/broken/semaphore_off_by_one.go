package broken

import (
	"context"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// semaphoreOffByOne is a semaphore that lets one more in than it has permits.
//
// Plausible: "no more than" is a comparison that includes its bound, and what is
// counted are the others, not the caller.
//
// Found by exclusion and by ownership as soon as all permits are wanted.
func semaphoreOffByOne() Specimen {
	return Specimen{Breaks: []string{exclusion, ownership}, Twin: "semaphore", Subject: workloads.Subject{
		Name:    "semaphore-off-by-one",
		Summary: "a semaphore that counts the older holders and not its caller",
		Origin:  history.Broken,
		Layout:  history.OldestKeys,
		NewSemaphore: func(s *workloads.Session, prefix string, n int) workloads.Semaphore {
			return &oneMore{newPermits(s, prefix, n)}
		},
	}}
}

type oneMore struct{ permits }

func (p *oneMore) Acquire(ctx context.Context) (workloads.Grant, error) {
	return p.acquire(ctx, p.permits.permits+1) // the bug: no more than permits others
}
