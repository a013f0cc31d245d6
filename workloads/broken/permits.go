package broken

import (
	"context"
	"errors"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// permits is what the semaphores share: a claim for each client, a wait until
// few enough older ones are left, and the final check of the own key. How many
// are few enough is theirs.
type permits struct {
	queue
	permits int
}

func newPermits(s *workloads.Session, prefix string, n int) permits {
	return permits{queue{session: s, prefix: prefix}, n}
}

// acquire waits until fewer than so many claims are older than the own one.
func (p *permits) acquire(ctx context.Context, fewerThan int) (workloads.Grant, error) {
	return p.enter(ctx, locking, func(own claim) error {
		for {
			older, revision, err := p.count(ctx, clientv3.WithMaxCreateRev(own.revision-1))
			if err != nil || older < fewerThan {
				return err
			}
			if err := awaitChange(ctx, p.session.Client, p.prefix+locking, revision); err != nil {
				return err
			}
		}
	})
}

// count returns how many claims there are, and at which revision.
func (p *permits) count(ctx context.Context, options ...clientv3.OpOption) (n int, revision int64, err error) {
	reply, err := p.session.Client.Get(ctx, p.prefix+locking, append(options, clientv3.WithPrefix(), clientv3.WithKeysOnly())...)
	if err != nil {
		return 0, 0, fmt.Errorf("count the holders: %w", err)
	}
	return len(reply.Kvs), reply.Header.Revision, nil
}

// awaitChange returns nil when anything has changed below prefix since revision,
// or when the watch cannot tell any more: then the caller looks again. A wait
// that fails changed nothing.
func awaitChange(ctx context.Context, client *clientv3.Client, prefix string, revision int64) error {
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	for reply := range client.Watch(watching, prefix, clientv3.WithPrefix(), clientv3.WithRev(revision+1)) {
		if len(reply.Events) > 0 || reply.Canceled {
			return nil
		}
	}
	if err := ctx.Err(); err != nil {
		return workloads.WithoutEffect(fmt.Errorf("wait for a change below %s: %w", prefix, err))
	}
	return workloads.WithoutEffect(errors.New("wait for a change: the watch ended"))
}
