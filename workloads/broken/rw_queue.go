package broken

import (
	"context"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// The two sides of a read-write lock, as its keys have them after the prefix.
const (
	reading = "/read/"
	writing = "/write/"
)

// rwQueue is what the read-write locks share: a claim on one side, a wait, and
// the final check of the own key. Whom to wait for is theirs.
type rwQueue struct {
	session *workloads.Session
	prefix  string
	own     claim
}

func (q *rwQueue) enter(ctx context.Context, side string, wait func(own claim) error) (workloads.Grant, error) {
	own, err := stake(ctx, q.session, q.prefix+side)
	if err != nil {
		return workloads.Grant{}, err
	}
	err = wait(own)
	if err == nil {
		err = own.confirm(ctx)
	}
	if err != nil {
		return workloads.Grant{}, own.abandon(ctx, err)
	}
	q.own = own
	return own.grant(), nil
}

func (q *rwQueue) Release(ctx context.Context) error { return q.own.withdraw(ctx) }

func (q *rwQueue) ReleaseRead(ctx context.Context) error { return q.own.withdraw(ctx) }
