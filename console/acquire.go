package console

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// within makes a command end after the duration that its user gave, if any.
func within(j *job, args []string) (done func(), err error) {
	if len(args) == 0 {
		return func() {}, nil
	}
	patience, err := time.ParseDuration(args[0])
	if err != nil || patience <= 0 {
		return nil, fmt.Errorf("%q is not a duration, like 2s", args[0])
	}
	timer := time.AfterFunc(patience, func() { j.cancel(fmt.Errorf("not had within %v", patience)) })
	return func() { timer.Stop() }, nil
}

// acquire makes a call that, if it succeeds, gives the console what the text
// says: "leads", "holds the lock".
func (c *Console) acquire(j *job, what string, recipe func(ctx context.Context) (workloads.Grant, error)) error {
	c.mu.Lock()
	has := c.belief
	c.mu.Unlock()
	if has != nil {
		return fmt.Errorf("%s already: key %s created at rev %d", has, has.grant.Key, has.grant.Token)
	}
	s, err := c.live(j.ctx)
	if err != nil {
		if cause := context.Cause(j.ctx); cause != nil {
			err = cause
		}
		return err
	}
	var grant workloads.Grant
	err = c.call(j, func(ctx context.Context) (err error) {
		grant, err = recipe(ctx)
		return err
	})
	if err != nil {
		return c.gaveUp(j, s, err)
	}
	b := &belief{who: c.Name(), what: what, grant: grant, since: time.Now()}
	c.mu.Lock()
	alive := c.session == s
	if alive {
		c.belief = b
	}
	c.mu.Unlock()
	c.confirm(j.ctx, b, alive)
	return nil
}

// confirm tells of a success, and whether etcd has the key that is behind it.
func (c *Console) confirm(ctx context.Context, b *belief, alive bool) {
	told := fmt.Sprintf("%s: key %s created at rev %d", b, b.grant.Key, b.grant.Token)
	reply, err := c.read(ctx, b.grant.Key)
	switch {
	case err != nil:
		c.out.line(yellow, "%s, as etcd's library says; etcd itself does not answer", told)
	case !isGrant(reply, b.grant.Token):
		c.mu.Lock()
		if c.belief == b {
			c.belief = nil
		}
		c.mu.Unlock()
		known := ""
		if issue := c.kind.lie; issue != "" {
			known = " (" + issue + ")"
		}
		c.out.line(red, "not true: etcd's library says that %s, but there is no such key as of rev %d%s", told, reply.Header.Revision, known)
	case !alive:
		c.out.line(red, "%s, as of rev %d, but its session is lost: not for long", told, reply.Header.Revision)
	default:
		c.out.line(green, "%s, as of rev %d", told, reply.Header.Revision)
	}
}

// gaveUp tells how an acquire ended that did not succeed, and removes the key
// that it may have left behind.
func (c *Console) gaveUp(j *job, s *session, err error) error {
	if c.leaving() {
		return err
	}
	cause := context.Cause(j.ctx)
	if IsQuit(cause) {
		return cause
	}
	if cause == nil && !errors.Is(err, context.Canceled) {
		if workloads.Certain(err) {
			return err
		}
		return fmt.Errorf("%w; %s", err, c.tidy(s))
	}
	deleted := ""
	if w, ok := j.last(true); ok && w.count > 0 {
		deleted = fmt.Sprintf("etcd's library deleted key %s at rev %d; ", w.key, w.revision)
	}
	if !j.cancelled() {
		return fmt.Errorf("%w; %s%s", cause, deleted, c.tidy(s))
	}
	c.out.line(yellow, "%s is cancelled: %s%s", j.command.name, deleted, c.tidy(s))
	return nil
}

// tidy deletes all keys of the object that are on the session's lease, and says
// what came of it.
func (c *Console) tidy(s *session) string {
	ctx, cancel := context.WithTimeout(c.ctx, lookTimeout)
	defer cancel()
	reply, err := c.objectKeys(ctx)
	if err != nil {
		return "etcd does not answer: a key may be left until its lease ends"
	}
	var done []string
	for _, kv := range reply.Kvs {
		if clientv3.LeaseID(kv.Lease) != s.lease {
			continue
		}
		key := string(kv.Key)
		deleted, err := c.etcd.Txn(ctx).
			If(clientv3.Compare(clientv3.CreateRevision(key), "=", kv.CreateRevision)).
			Then(clientv3.OpDelete(key)).Commit()
		if err != nil {
			return fmt.Sprintf("key %s created at rev %d is left behind and could not be deleted: %v", key, kv.CreateRevision, err)
		}
		done = append(done, fmt.Sprintf("key %s created at rev %d was left behind and is deleted at rev %d", key, kv.CreateRevision, deleted.Header.Revision))
	}
	if len(done) == 0 {
		return fmt.Sprintf("no key of %s is left as of rev %d", c.Name(), reply.Header.Revision)
	}
	return strings.Join(done, "; ")
}

// release makes a call that gives up what the console has. The belief ends
// when it is made, whatever comes of it.
func (c *Console) release(j *job, recipe func(ctx context.Context) error) error {
	b, err := c.believed()
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.belief = nil
	c.mu.Unlock()
	timer := time.AfterFunc(requestTimeout, func() { j.cancel(fmt.Errorf("no answer within %v", requestTimeout)) })
	defer timer.Stop()
	err = c.call(j, recipe)
	if err != nil {
		if cause := context.Cause(j.ctx); cause != nil {
			err = cause
		}
		return fmt.Errorf("%w; %s, key %s created at rev %d may be left until its lease ends", err, b.ended(), b.grant.Key, b.grant.Token)
	}
	w, ok := j.last(true)
	switch {
	case !ok:
		c.out.line(plain, "%s: etcd's library deleted nothing of key %s created at rev %d", b.ended(), b.grant.Key, b.grant.Token)
	case w.count == 0:
		c.out.line(red, "%s: key %s created at rev %d was gone already, as of rev %d", b.ended(), b.grant.Key, b.grant.Token, w.revision)
	default:
		c.out.line(plain, "%s: key %s deleted at rev %d", b.ended(), w.key, w.revision)
	}
	return nil
}

// believed returns what the console believes that it has, or an error that says
// why it has nothing.
func (c *Console) believed() (*belief, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.belief != nil:
		return c.belief, nil
	case c.session == nil && !c.lostAt.IsZero():
		return nil, fmt.Errorf("%s has nothing: its session was lost %.1fs ago", c.name, time.Since(c.lostAt).Seconds())
	default:
		return nil, fmt.Errorf("%s has nothing", c.name)
	}
}

// tellWaiting says behind which key a command waits, and with which of its own.
func (c *Console) tellWaiting(j *job, behind string) {
	own := ""
	if w, ok := j.last(false); ok {
		own = fmt.Sprintf(" with key %s created at rev %d", w.key, w.revision)
	}
	who := c.asRead(j, behind)
	c.awaitResumed()
	c.out.line(yellow, "%s waits%s, behind %s", c.Name(), own, who)
}

// asRead says which key it is, as the recipe has read it.
func (c *Console) asRead(j *job, key string) string {
	j.mu.Lock()
	kv := j.read[key]
	j.mu.Unlock()
	if kv == nil {
		return "key " + key
	}
	return c.readNames(j.ctx).describe(kv)
}

// tellKey says which key is behind what the console has.
func (c *Console) tellKey(*job, []string) error {
	b, err := c.believed()
	if err != nil {
		return err
	}
	c.out.line(plain, "%s: key %s created at rev %d", b, b.grant.Key, b.grant.Token)
	return nil
}
