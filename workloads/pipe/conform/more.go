package conform

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

func (b *Bench) leader(ctx context.Context) (string, error) {
	if !b.hello.Can("leader") || b.hello.Primitive != history.Election {
		return "", &skipped{"it does not offer leader"}
	}
	first, second, _, end, err := b.pair(ctx)
	defer end()
	if err != nil {
		return "", err
	}
	within, cancel := context.WithTimeout(ctx, takePatience)
	defer cancel()
	asks := func(want string) error {
		l, err := second.election.Leader(within)
		if err = second.blame(err); err == nil && l.Value != want {
			err = fmt.Errorf("value %q", l.Value)
		}
		if err != nil {
			return fail(fmt.Sprintf("that leader answers with value %q", want), err, "read it from etcd")
		}
		return nil
	}
	if err := asks(fmt.Sprintf("value-%d", first.PID())); err != nil {
		return "", err
	}
	if b.hello.Can("proclaim") {
		err := first.election.Proclaim(within, "another value")
		if err = first.blame(err); err != nil {
			return "", fail("ok to a leader's proclaim", err, "replace the value, if the caller still leads")
		}
		if err := asks("another value"); err != nil {
			return "", err
		}
	}
	if err := first.give(ctx); err != nil {
		return "", fail("ok to resign", err, giveAdvice)
	}
	l, err := second.election.Leader(within)
	if err = second.blame(err); !errors.Is(err, workloads.ErrNoLeader) {
		return "", fail(`ok true and "none": true when nobody leads`, fmt.Errorf("value %q, error %v", l.Value, err), "say that there is none")
	}
	return "told who leads, and that nobody does", nil
}

func (b *Bench) observe(ctx context.Context) (string, error) {
	if !b.hello.Can("observe") || b.hello.Primitive != history.Election {
		return "", &skipped{"it does not offer observe"}
	}
	first, second, _, end, err := b.pair(ctx)
	defer end()
	if err != nil {
		return "", err
	}
	within, cancel := context.WithTimeout(ctx, takePatience)
	defer cancel()
	want := fmt.Sprintf("value-%d", first.PID())
	observing, stop := context.WithCancel(within)
	defer stop()
	leaderships := second.election.Observe(observing)
	for seen := false; !seen; {
		select {
		case l, ok := <-leaderships:
			if !ok {
				err := second.blame(errors.New("the observation ended"))
				return "", fail(fmt.Sprintf("an event observed with value %q", want), err, "tell of the leader that there is, and of those that follow")
			}
			seen = l.Value == want
		case <-within.Done():
			return "", fail(fmt.Sprintf("an event observed with value %q within 10 s", want), errors.New("none"), "tell of the leader that there is, and of those that follow")
		}
	}
	if b.hello.Can("leader") { // it is asked beside
		if _, err := second.election.Leader(within); err != nil {
			return "", fail("an answer to leader while it observes", second.blame(err), "observe in the background")
		}
	}
	stop()
	for range leaderships { // until its answer
	}
	if err := second.blame(nil); err != nil {
		return "", fail("an answer to observe soon after cancel", err, `answer the observe, by its "id", when a cancel comes with "of": that id`)
	}
	return "saw the leader, and ended when it was cancelled", nil
}

func (b *Bench) work(ctx context.Context) (string, error) {
	if !b.hello.Can("work") {
		return "", &skipped{"it does not offer work: its clients read and write the protected resource for it"}
	}
	p, err := b.join(ctx)
	if err != nil {
		return "", err
	}
	defer p.Kill()
	if _, err := p.take(ctx, takePatience); err != nil {
		return "", fail("a grant of a free object within 10 s", err, takeAdvice)
	}
	var worker workloads.Worker
	for _, of := range []any{p.lock, p.rw, p.election} {
		if w, ok := of.(workloads.Worker); ok {
			worker = w
		}
	}
	mode := history.Mode("")
	if p.rw != nil {
		mode = history.WriteMode
	}
	within, cancel := context.WithTimeout(ctx, takePatience)
	defer cancel()
	var asked []string
	wrote := false
	err = worker.Work(within, mode, 100*time.Millisecond, func(write bool, token int64) (string, error) {
		asked = append(asked, fmt.Sprintf("%s with token %d", map[bool]string{false: "read", true: "write"}[write], token))
		wrote = wrote || write
		return "a value", nil
	})
	if err = p.blame(err); err != nil {
		return "", fail("ok to work when it is done", err, "ask to read, take ms milliseconds, ask to write, and answer")
	}
	if !wrote {
		return "", fail(`that it asks to write, by {"call":"write"}`, fmt.Errorf("it asked: %s", strings.Join(asked, ", ")), "write what the hold protects, or do not offer work")
	}
	return "it asked: " + strings.Join(asked, ", "), nil
}

// loss revokes the lease of a holder behind its back.
func (b *Bench) loss(ctx context.Context) (string, error) {
	if !b.hello.Can("lost") {
		return "", &skipped{`it does not offer lost: its clients believe that they hold until they give it back, whatever became of the lease`}
	}
	p, err := b.join(ctx)
	if err != nil {
		return "", err
	}
	defer p.Kill()
	g, err := p.take(ctx, takePatience)
	if err != nil {
		return "", fail("a grant of a free object within 10 s", err, takeAdvice)
	}
	lease := p.Lease()
	if lease == 0 && g.Key != "" {
		if reply, err := b.Admin.Get(ctx, g.Key); err == nil && len(reply.Kvs) > 0 {
			lease = reply.Kvs[0].Lease
		}
	}
	if lease == 0 {
		return "", &skipped{`it tells neither "lease" nor "key": its lease cannot be revoked`}
	}
	if _, err := b.Admin.Revoke(ctx, clientv3.LeaseID(lease)); err != nil {
		return "", fail("that the lease which it tells of is there", err, "tell the lease of the hold, in decimal")
	}
	began := time.Now()
	timer := time.NewTimer(2*b.TTL + lateness)
	defer timer.Stop()
	select {
	case <-p.Lost():
		return fmt.Sprintf("told %v after its lease was revoked", time.Since(began).Round(time.Millisecond)), nil
	case <-p.Ended():
		return "", fail(`{"event":"lost"}`, p.blame(errors.New("it ended")), "tell, and go on")
	case <-timer.C:
		return "", fail(fmt.Sprintf(`{"event":"lost"} within two time-to-lives of %v, and a little`, b.TTL), errors.New("nothing"), "renew the lease in the background, and tell when that fails")
	}
}

func (b *Bench) death(ctx context.Context) (string, error) {
	first, second, _, end, err := b.pair(ctx)
	defer end()
	if err != nil {
		return "", err
	}
	first.Kill()
	began := time.Now()
	if _, err := second.take(ctx, b.TTL+takePatience); err != nil {
		return "", fail(fmt.Sprintf("that the object is free a time-to-live of %v after its holder was killed", b.TTL), err, "hold by a key on a lease of ttl_ms")
	}
	return fmt.Sprintf("free %v after its holder was killed", time.Since(began).Round(time.Millisecond)), nil
}

// end closes the input of a program that has given everything back.
func (b *Bench) end(ctx context.Context) (string, error) {
	p, err := b.join(ctx)
	if err != nil {
		return "", err
	}
	defer p.Kill()
	if _, err := p.take(ctx, takePatience); err != nil {
		return "", fail("a grant of a free object within 10 s", err, takeAdvice)
	}
	if err := p.give(ctx); err != nil {
		return "", fail("ok to giving it back", err, giveAdvice)
	}
	within, cancel := context.WithTimeout(ctx, givePatience)
	defer cancel()
	err = p.Close(within)
	if rule, story := p.Breach(); rule != "" {
		return "", fail("that it ends when its standard input ends", &workloads.BreachError{Rule: rule, Story: rule + ": " + story}, "")
	}
	if b.hello.Can("bye") && err != nil {
		return "", fail("ok to bye, when everything is given up", err, "revoke the lease, then answer")
	}
	reply, err := b.Admin.Get(ctx, fmt.Sprintf("%s/%d/", b.Prefix, b.object), clientv3.WithPrefix(), clientv3.WithKeysOnly())
	if err != nil {
		return "", err
	}
	if len(reply.Kvs) > 0 {
		return "", fail("no key left of what was given back", fmt.Errorf("the key %s", reply.Kvs[0].Key), "delete it in release")
	}
	return "it ended, and left no key", nil
}
