package broken

import (
	"context"
	"errors"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// semaphoreWithoutLease is a semaphore whose permits are on no lease.
//
// Plausible: every holder gives its permit back, whatever happens to its work.
// But one that dies does not, and every death costs a permit for ever.
//
// Found by progress when as many holders as there are permits have died.
func semaphoreWithoutLease() Specimen {
	return Specimen{Breaks: []string{progress}, Twin: "semaphore", Subject: workloads.Subject{
		Name:    "semaphore-without-lease",
		Summary: "a semaphore that does not get a permit back when its holder dies",
		Origin:  history.Broken,
		Layout:  history.OldestKeys,
		NewSemaphore: func(s *workloads.Session, prefix string, n int) workloads.Semaphore {
			return &lastingPermits{permits: newPermits(s, prefix, n)}
		},
	}}
}

type lastingPermits struct {
	permits
	drawn int
}

func (p *lastingPermits) Acquire(ctx context.Context) (workloads.Grant, error) {
	p.drawn++
	key := fmt.Sprintf("%s/%x.%d", p.prefix, int64(p.session.Session.Lease()), p.drawn)
	reply, err := p.session.Client.Put(ctx, key, "") // the bug: without a lease
	if err != nil {
		tidying, cancel := cleanup(ctx)
		defer cancel()
		if _, gone := p.session.Client.Delete(tidying, key); gone != nil {
			err = errors.Join(err, gone)
		}
		return workloads.Grant{}, fmt.Errorf("put the own key: %w", err)
	}
	own := claim{p.session.Client, key, reply.Header.Revision}
	for {
		older, revision, err := p.count(ctx, clientv3.WithMaxCreateRev(own.revision-1))
		if err == nil && older < p.permits.permits {
			p.own = own
			return own.grant(), nil
		}
		if err == nil {
			err = awaitChange(ctx, p.session.Client, p.prefix+locking, revision)
		}
		if err != nil {
			return workloads.Grant{}, own.abandon(ctx, err)
		}
	}
}
