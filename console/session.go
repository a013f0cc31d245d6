package console

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// namesDirectory is where, below the prefix, every console keeps a key with its
// name, on its lease, whose value is the lease: so that others can say whose a
// key is.
const namesDirectory = "consoles/"

// maxNames bounds the search for a name that is free.
const maxNames = 1000

// session is a lease that is kept alive.
type session struct {
	*concurrency.Session
	lease   clientv3.LeaseID
	ttl     time.Duration // as etcd granted it
	closing atomic.Bool
	// told is closed when the console was told that it is over.
	told chan struct{}
}

// leaseText writes a lease as etcdctl does.
func leaseText(lease clientv3.LeaseID) string { return strconv.FormatInt(int64(lease), 16) }

// openSession opens a session, puts the console's name on its lease, and makes
// the primitive anew on it.
func (c *Console) openSession(ctx context.Context) error {
	granted, err := c.etcd.Grant(ctx, int64(c.config.TTL/time.Second))
	if err != nil {
		return fmt.Errorf("open a session: %w", err)
	}
	s := &session{told: make(chan struct{}), lease: granted.ID, ttl: time.Duration(granted.TTL) * time.Second}
	// Kept alive from now on: on a busy machine a short lease could end before
	// it has a name.
	s.Session, err = concurrency.NewSession(c.heard,
		concurrency.WithLease(s.lease), concurrency.WithTTL(int(granted.TTL)), concurrency.WithContext(c.ctx))
	if err != nil {
		return fmt.Errorf("open a session: %w", err)
	}
	revision, err := c.takeName(ctx, s)
	if err != nil {
		s.Orphan()
		_, _ = c.etcd.Revoke(ctx, s.lease) // if it fails, the lease ends by itself
		return err
	}
	c.primitive.renew(&workloads.Session{Client: c.heard, Session: s.Session})
	c.mu.Lock()
	c.session = s
	c.mu.Unlock()
	c.out.line(plain, "%s: session with lease %s, TTL %v; its name is key %s%s%s put at rev %d",
		c.Name(), leaseText(s.lease), s.ttl, c.config.Prefix, namesDirectory, c.Name(), revision)
	if s.ttl != c.config.TTL {
		c.out.line(yellow, "etcd raised the TTL from %v to %v", c.config.TTL, s.ttl)
	}
	c.tasks.Go(func() {
		defer close(s.told)
		<-s.Done()
		c.lose(s)
	})
	return nil
}

// live returns the session, and opens one if the last was lost.
func (c *Console) live(ctx context.Context) (*session, error) {
	c.mu.Lock()
	s := c.session
	c.mu.Unlock()
	if s != nil {
		return s, nil
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if err := c.openSession(ctx); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session, nil
}

// takeName puts the console's name on the lease. A console without a name takes
// the first that is free.
func (c *Console) takeName(ctx context.Context, s *session) (revision int64, err error) {
	name := c.Name()
	if name != "" {
		revision, holder, err := c.tryName(ctx, s, name)
		if err != nil || revision != 0 {
			return revision, err
		}
		c.mu.Lock()
		lost := c.lost
		c.mu.Unlock()
		if lost == nil {
			return 0, fmt.Errorf("the name %s is that of another console, with lease %s: take another, or wait until that lease has run out", name, holder)
		}
		if holder == leaseText(lost.lease) { // which etcd has not ended yet
			reply, err := c.etcd.Put(ctx, c.config.Prefix+namesDirectory+name, leaseText(s.lease), clientv3.WithLease(s.lease))
			if err != nil {
				return 0, fmt.Errorf("take the name %s: %w", name, err)
			}
			return reply.Header.Revision, nil
		}
	}
	for i := 1; i <= maxNames; i++ {
		name := "c" + strconv.Itoa(i)
		revision, _, err := c.tryName(ctx, s, name)
		if err != nil {
			return 0, err
		}
		if revision != 0 {
			c.mu.Lock()
			c.name = name
			c.mu.Unlock()
			return revision, nil
		}
	}
	return 0, fmt.Errorf("c1 to c%d are all the names of other consoles", maxNames)
}

// tryName returns the revision at which the name became that of the session, or
// 0 and the lease that has it.
func (c *Console) tryName(ctx context.Context, s *session, name string) (revision int64, holder string, err error) {
	key := c.config.Prefix + namesDirectory + name
	reply, err := c.etcd.Txn(ctx).
		If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).
		Then(clientv3.OpPut(key, leaseText(s.lease), clientv3.WithLease(s.lease))).
		Else(clientv3.OpGet(key)).
		Commit()
	if err != nil {
		return 0, "", fmt.Errorf("take the name %s: %w", name, err)
	}
	if reply.Succeeded {
		return reply.Header.Revision, "", nil
	}
	return 0, string(reply.Responses[0].GetResponseRange().Kvs[0].Value), nil
}

// lose tells that a session is over, unless the console ended it itself.
func (c *Console) lose(s *session) {
	at := time.Now()
	c.mu.Lock()
	since := c.harm.since(s.ttl)
	c.mu.Unlock()
	c.awaitResumed()
	if s.closing.Load() || c.leaving() {
		return
	}
	c.mu.Lock()
	belief := c.belief
	c.session, c.belief, c.lost, c.lostAt = nil, nil, s, at
	var waiting string
	for _, j := range c.jobs {
		if j.command.alone {
			waiting = j.command.name
		}
	}
	c.mu.Unlock()
	why := ""
	if since == "" { // the user did nothing to the links
		why = "was revoked, or "
	}
	c.out.line(red, "session lost%s: lease %s %scould not be renewed within its TTL of %v; etcd deletes its keys", since, leaseText(s.lease), why, s.ttl)
	if belief != nil {
		c.out.line(red, "%s: key %s created at rev %d goes with the lease", belief.ended(), belief.grant.Key, belief.grant.Token)
	}
	if waiting != "" {
		c.out.line(yellow, "%s still waits, for a session that is over: cancel it, or see what it says in the end", waiting)
	}
}

// closeSession revokes the lease: etcd deletes the session's keys at once.
func (c *Console) closeSession() {
	c.mu.Lock()
	s := c.session
	c.session, c.belief = nil, nil
	c.mu.Unlock()
	if s == nil {
		c.out.line(plain, "%s leaves, without a session", c.Name())
		return
	}
	s.closing.Store(true)
	s.Orphan()
	ctx, cancel := context.WithTimeout(c.ctx, lookTimeout)
	defer cancel()
	reply, err := c.etcd.Revoke(ctx, s.lease)
	if err != nil {
		c.out.line(yellow, "%s leaves; lease %s could not be revoked and runs out within %v: %v", c.Name(), leaseText(s.lease), s.ttl, err)
		return
	}
	c.out.line(plain, "%s leaves: lease %s and its keys are gone at rev %d", c.Name(), leaseText(s.lease), reply.Header.Revision)
}
