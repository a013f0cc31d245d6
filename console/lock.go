package console

import (
	"context"
	"errors"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// lock is the console of etcd's mutex and locker.
type lock struct {
	*Console
	lock workloads.Lock
}

func openLock(c *Console) (primitive, string) { return &lock{Console: c}, "mutex" }

func (l *lock) renew(s *workloads.Session) { l.lock = l.subject().NewLock(s, l.object) }

func (l *lock) commands() []*command {
	own := []*command{
		{name: "lock", arguments: "[TIMEOUT]", most: 1, blocks: true, alone: true, run: l.acquireLock, waits: l.tellWaiting,
			summary: "take the lock, waiting for it if need be"},
		{name: "unlock", alone: true, summary: "give the lock back", run: func(j *job, _ []string) error {
			return l.release(j, func(ctx context.Context) error { return l.lock.Release(ctx) })
		}},
		{name: "key", summary: "the key that stands for the lock", run: l.tellKey},
	}
	if l.config.Primitive == "mutex" {
		own = append(own, &command{name: "trylock", alone: true, summary: "take the lock if it is free", run: l.tryLock})
	}
	return own
}

func (l *lock) acquireLock(j *job, args []string) error {
	done, err := within(j, args)
	if err != nil {
		return err
	}
	defer done()
	return l.acquire(j, "holds the lock", func(ctx context.Context) (workloads.Grant, error) { return l.lock.Acquire(ctx) })
}

func (l *lock) tryLock(j *job, _ []string) error {
	err := l.acquire(j, "holds the lock", func(ctx context.Context) (workloads.Grant, error) {
		return l.lock.(workloads.TryLock).TryAcquire(ctx)
	})
	if errors.Is(err, workloads.ErrTaken) {
		if reply, readErr := l.objectKeys(j.ctx); readErr == nil && len(reply.Kvs) > 0 {
			return errors.New("the lock is taken: " + l.readNames(j.ctx).describe(reply.Kvs[0]))
		}
	}
	return err
}
