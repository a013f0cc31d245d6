package console

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// cancel ends what runs in the background: all, or the command of that name.
func (c *Console) cancel(j *job, args []string) error {
	if len(args) == 1 {
		d, err := c.find(args[0])
		if err != nil {
			return err
		}
		args[0] = d.name
	}
	var chosen []*job
	c.mu.Lock()
	for _, other := range c.jobs {
		if other != j && (len(args) == 0 || other.command.name == args[0]) {
			chosen = append(chosen, other)
		}
	}
	c.mu.Unlock()
	if len(chosen) == 0 {
		return fmt.Errorf("nothing runs%s", strings.Join(append([]string{""}, args...), " by the name "))
	}
	for _, other := range chosen {
		c.cancelJob(other)
	}
	return nil
}

func (c *Console) cancelJob(j *job) {
	j.cancel(errCancelled)
	c.mu.Lock()
	cut := c.harm.lasts()
	c.mu.Unlock()
	if cut && j.command.alone && j.command.blocks && !c.kind.withoutContext {
		c.out.line(yellow, "%s is being cancelled: etcd's library tidies up with the client's own context, which takes until heal", j.command.name)
	}
}

// await waits for what runs to end, for a number of keys, or for the loss of
// the session.
func (c *Console) await(j *job, args []string) error {
	switch {
	case len(args) == 2 && args[0] == "keys":
		count, err := strconv.Atoi(args[1])
		if err != nil || count < 0 {
			return fmt.Errorf("%q is not a number of keys", args[1])
		}
		return c.awaitKeys(j, count)
	case len(args) == 2, len(args) == 1 && args[0] == "keys":
		return errors.New("usage: await [COMMAND | keys N | lost]")
	case len(args) == 1 && args[0] == "lost":
		return c.awaitLost(j)
	case len(args) == 1:
		d, err := c.find(args[0])
		if err != nil {
			return err
		}
		if d.lasting {
			return fmt.Errorf("%s ends only when it is cancelled", d.name)
		}
		return c.awaitJobs(j, d)
	default:
		return c.awaitJobs(j, nil)
	}
}

// awaitJobs waits for the commands that run now: all that can end by
// themselves, or those of one kind.
func (c *Console) awaitJobs(j *job, kind *command) error {
	c.mu.Lock()
	jobs := append([]*job(nil), c.jobs...)
	c.mu.Unlock()
	for _, other := range jobs {
		if other == j || other.command.lasting || kind != nil && other.command != kind {
			continue
		}
		select {
		case <-other.done:
		case <-j.ctx.Done():
			return context.Cause(j.ctx)
		}
	}
	return nil
}

func (c *Console) awaitKeys(j *job, count int) error {
	for {
		reply, err := c.objectKeys(j.ctx)
		if err != nil {
			return fmt.Errorf("etcd does not answer: %w", err)
		}
		if len(reply.Kvs) == count {
			c.out.line(plain, "%s as of rev %d", c.keyCount(len(reply.Kvs)), reply.Header.Revision)
			return nil
		}
		if err := c.awaitChange(j.ctx, reply.Header.Revision+1); err != nil {
			return err
		}
	}
}

// awaitChange returns when a key of the object changed at the revision or
// later, or the watch was lost.
func (c *Console) awaitChange(ctx context.Context, revision int64) error {
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	select {
	case <-c.etcd.Watch(watching, c.object, clientv3.WithPrefix(), clientv3.WithRev(revision)):
	case <-ctx.Done():
	}
	return context.Cause(ctx)
}

func (c *Console) awaitLost(j *job) error {
	c.mu.Lock()
	s := c.session
	c.mu.Unlock()
	if s == nil {
		return nil
	}
	select {
	case <-s.told:
		return nil
	case <-j.ctx.Done():
		return context.Cause(j.ctx)
	}
}

func (c *Console) sleep(j *job, args []string) error {
	d, err := time.ParseDuration(args[0])
	if err != nil || d < 0 {
		return fmt.Errorf("%q is not a duration, like 2s", args[0])
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-j.ctx.Done():
		return context.Cause(j.ctx)
	}
}
