package broken

import (
	"context"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// semaphoreCountsFirst is a semaphore that counts its holders, and puts a key of
// its own if there are fewer than permits.
//
// Plausible: it is what a semaphore does, and in one process one would have a
// mutex around it. Two clients that count at once both find the last permit.
//
// Found by exclusion and by ownership when two wait for the same permit.
func semaphoreCountsFirst() Specimen {
	return Specimen{Breaks: []string{exclusion, ownership}, Twin: "semaphore", Subject: workloads.Subject{
		Name:    "semaphore-counts-first",
		Summary: "a semaphore that counts its holders and then puts a key, whoever came meanwhile",
		Origin:  history.Broken,
		Layout:  history.OldestKeys,
		NewSemaphore: func(s *workloads.Session, prefix string, n int) workloads.Semaphore {
			return &countFirst{newPermits(s, prefix, n)}
		},
	}}
}

type countFirst struct{ permits }

func (p *countFirst) Acquire(ctx context.Context) (workloads.Grant, error) {
	for {
		holders, revision, err := p.count(ctx)
		if err != nil {
			return workloads.Grant{}, workloads.WithoutEffect(err)
		}
		if holders < p.permits.permits {
			return p.enter(ctx, locking, func(claim) error { return nil }) // the bug: the count is over
		}
		if err := awaitChange(ctx, p.session.Client, p.prefix+locking, revision); err != nil {
			return workloads.Grant{}, err
		}
	}
}
