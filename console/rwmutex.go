package console

import (
	"context"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// rwmutex is the console of etcd's read-write lock.
type rwmutex struct {
	*Console
	lock workloads.RWLock
	// reads is set while what is held is the read lock.
	reads bool
}

func openRWMutex(c *Console) (primitive, string) { return &rwmutex{Console: c}, "rwmutex" }

func (r *rwmutex) renew(s *workloads.Session) { r.lock = r.subject().NewRWLock(s, r.object) }

func (r *rwmutex) commands() []*command {
	return []*command{
		{name: "r", aliases: []string{"rlock"}, arguments: "[TIMEOUT]", most: 1, blocks: true, alone: true, waits: r.tellWaiting,
			summary: "take the lock for reading, beside other readers", run: func(j *job, args []string) error {
				return r.take(j, args, true, "reads", func(ctx context.Context) (workloads.Grant, error) { return r.lock.AcquireRead(ctx) })
			}},
		{name: "w", aliases: []string{"lock"}, arguments: "[TIMEOUT]", most: 1, blocks: true, alone: true, waits: r.tellWaiting,
			summary: "take the lock for writing, alone", run: func(j *job, args []string) error {
				return r.take(j, args, false, "writes", func(ctx context.Context) (workloads.Grant, error) { return r.lock.Acquire(ctx) })
			}},
		{name: "release", aliases: []string{"unlock"}, alone: true, summary: "give the lock back", run: func(j *job, _ []string) error {
			return r.release(j, func(ctx context.Context) error {
				if r.reads {
					return r.lock.ReleaseRead(ctx)
				}
				return r.lock.Release(ctx)
			})
		}},
		{name: "key", summary: "the key that stands for the lock", run: r.tellKey},
	}
}

func (r *rwmutex) take(j *job, args []string, reads bool, what string, call func(context.Context) (workloads.Grant, error)) error {
	done, err := within(j, args)
	if err != nil {
		return err
	}
	defer done()
	return r.acquire(j, what, func(ctx context.Context) (workloads.Grant, error) {
		r.reads = reads
		return call(ctx)
	})
}
