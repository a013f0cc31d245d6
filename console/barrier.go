package console

import (
	"context"
	"errors"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"
	recipe "go.etcd.io/etcd/client/v3/experimental/recipes"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// barrier is the console of etcd's barrier. Its key has no lease: it outlives
// whoever put it.
type barrier struct{ *Console }

func openBarrier(c *Console) (primitive, string) { return barrier{c}, "barrier" }

func (barrier) renew(*workloads.Session) {}

func (b barrier) commands() []*command {
	return []*command{
		{name: "hold", summary: "put the barrier up", run: b.hold},
		{name: "release", summary: "take the barrier down: all who wait go on", run: b.lower},
		{name: "wait", arguments: "[TIMEOUT]", most: 1, blocks: true, run: b.wait, summary: "wait until the barrier is down",
			waits: func(j *job, behind string) {
				b.out.line(yellow, "%s waits for the end of %s", b.Name(), b.asRead(j, behind))
			}},
	}
}

// client returns a client for one command: several can run at once.
func (c *Console) client(j *job) *clientv3.Client {
	return listener{job: func(context.Context) *job { return j }, bounds: true}.client(c.etcd)
}

// ask makes a recipe's call that should not have to wait.
func (c *Console) ask(j *job, recipe func() error) error {
	ctx, cancel := context.WithTimeout(j.ctx, requestTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() { j.cancel(ctx.Err()) })()
	return c.call(j, func(context.Context) error { return recipe() })
}

func (b barrier) hold(j *job, _ []string) error {
	err := b.ask(j, recipe.NewBarrier(b.client(j), b.object).Hold)
	if errors.Is(err, recipe.ErrKeyExists) {
		return errors.New("the barrier is up already: " + b.ofKey(j.ctx, b.object))
	}
	if err != nil {
		return err
	}
	w, _ := j.last(false)
	b.out.line(green, "%s put the barrier up: key %s created at rev %d, no lease: it outlives %s", b.Name(), w.key, w.revision, b.Name())
	return nil
}

func (b barrier) lower(j *job, _ []string) error {
	if err := b.ask(j, recipe.NewBarrier(b.client(j), b.object).Release); err != nil {
		return err
	}
	w, _ := j.last(true)
	if w.count == 0 {
		b.out.line(plain, "the barrier was down already: there is no key %s as of rev %d", w.key, w.revision)
		return nil
	}
	b.out.line(plain, "%s took the barrier down: key %s deleted at rev %d", b.Name(), w.key, w.revision)
	return nil
}

func (b barrier) wait(j *job, args []string) error {
	done, err := within(j, args)
	if err != nil {
		return err
	}
	defer done()
	err = b.call(j, func(context.Context) error { return recipe.NewBarrier(b.client(j), b.object).Wait() })
	if cause := context.Cause(j.ctx); cause != nil { // Wait returns nil when its watch ends
		if j.cancelled() {
			b.out.line(yellow, "wait is cancelled")
			return nil
		}
		return cause
	}
	if err != nil {
		return err
	}
	reply, err := b.read(j.ctx, b.object)
	if err != nil {
		b.out.line(yellow, "%s passed, as etcd's library says; etcd itself does not answer", b.Name())
		return nil
	}
	if len(reply.Kvs) == 0 {
		b.out.line(green, "%s passed: there is no key %s as of rev %d", b.Name(), b.object, reply.Header.Revision)
		return nil
	}
	b.out.line(yellow, "%s passed, and the barrier is up as of rev %d: %s", b.Name(), reply.Header.Revision, fmt.Sprintf("key %s created at rev %d", b.object, reply.Kvs[0].CreateRevision))
	return nil
}
