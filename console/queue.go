package console

import (
	"context"
	"strings"

	recipe "go.etcd.io/etcd/client/v3/experimental/recipes"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// queue is the console of etcd's queue. Its elements are keys without leases.
type queue struct{ *Console }

func openQueue(c *Console) (primitive, string) { return queue{c}, "queue" }

func (queue) renew(*workloads.Session) {}

func (q queue) commands() []*command {
	return []*command{
		{name: "put", aliases: []string{"enqueue"}, arguments: "VALUE", least: 1, most: -1, run: q.put, summary: "append an element"},
		{name: "take", aliases: []string{"dequeue"}, arguments: "[TIMEOUT]", most: 1, blocks: true, run: q.take, summary: "take the oldest element, waiting for one if need be",
			waits: func(*job, string) {
				q.awaitResumed()
				q.out.line(yellow, "%s waits: there is no key of %s", q.Name(), q.object)
			}},
	}
}

// recipe returns etcd's queue for one command. The recipe looks for elements at
// all keys that start like its prefix, without a slash: in a queue "a" it would
// find those of "ab". Hence the last part of the prefix, which all have.
func (q queue) recipe(j *job) *recipe.Queue {
	return recipe.NewQueue(q.client(j), q.object+"/element")
}

func (q queue) put(j *job, args []string) error {
	value := strings.Join(args, " ")
	if err := q.ask(j, func() error { return q.recipe(j).Enqueue(value) }); err != nil {
		return err
	}
	w, _ := j.last(false)
	q.out.line(green, "%s put %q: key %s created at rev %d", q.Name(), value, w.key, w.revision)
	return nil
}

func (q queue) take(j *job, args []string) error {
	done, err := within(j, args)
	if err != nil {
		return err
	}
	defer done()
	var value string
	err = q.call(j, func(context.Context) (err error) {
		value, err = q.recipe(j).Dequeue()
		return err
	})
	cause := context.Cause(j.ctx)
	switch {
	case err == nil:
		w, _ := j.last(true)
		q.out.line(green, "%s took %q: key %s deleted at rev %d", q.Name(), value, w.key, w.revision)
		return nil
	case cause == nil:
		return err
	}
	// Dequeue panics when its watch ends: whatever it says, the command ended.
	j.mu.Lock()
	unsure := j.unsure
	j.mu.Unlock()
	what := "nothing was taken"
	if unsure {
		what = "nobody knows whether an element was taken"
	}
	if j.cancelled() {
		q.out.line(yellow, "take is cancelled: %s", what)
		return nil
	}
	return cause
}
