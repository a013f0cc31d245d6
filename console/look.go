package console

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// read reads with the console's own patience.
func (c *Console) read(ctx context.Context, key string, options ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	return c.etcd.Get(ctx, key, options...)
}

// objectKeys reads all keys of the object, oldest first.
func (c *Console) objectKeys(ctx context.Context) (*clientv3.GetResponse, error) {
	key, options := c.object+"/", []clientv3.OpOption{
		clientv3.WithPrefix(), clientv3.WithSort(clientv3.SortByCreateRevision, clientv3.SortAscend),
	}
	if c.kind.oneKey {
		key, options = c.object, nil
	}
	return c.read(ctx, key, options...)
}

// names are consoles by the lease of their session, as text.
type names map[string]string

// readNames asks etcd for the names of all consoles. If it does not answer,
// nobody has a name.
func (c *Console) readNames(ctx context.Context) names {
	found := make(names)
	directory := c.config.Prefix + namesDirectory
	reply, err := c.read(ctx, directory, clientv3.WithPrefix())
	if err != nil {
		return found
	}
	for _, kv := range reply.Kvs {
		found[string(kv.Value)] = strings.TrimPrefix(string(kv.Key), directory)
	}
	return found
}

// lease says whose a lease is.
func (n names) lease(lease int64) string {
	if lease == 0 {
		return "no lease"
	}
	text := leaseText(clientv3.LeaseID(lease))
	if name, ok := n[text]; ok {
		return "lease " + text + " of " + name
	}
	return "lease " + text + " of nobody known"
}

// describe says which key it is, since when and whose.
func (n names) describe(kv *mvccpb.KeyValue) string {
	return fmt.Sprintf("key %s created at rev %d, %s", kv.Key, kv.CreateRevision, n.lease(kv.Lease))
}

// ofKey says which key it is, and all that etcd has to tell of it now.
func (c *Console) ofKey(ctx context.Context, key string) string {
	reply, err := c.read(ctx, key)
	if err != nil || len(reply.Kvs) == 0 {
		return "key " + key
	}
	return c.readNames(ctx).describe(reply.Kvs[0])
}

// keyCount says how many keys of the object there are.
func (c *Console) keyCount(count int) string {
	if count == 1 {
		return "1 key of " + c.object
	}
	return fmt.Sprintf("%d keys of %s", count, c.object)
}

func (c *Console) keys(j *job, _ []string) error {
	reply, err := c.objectKeys(j.ctx)
	if err != nil {
		return fmt.Errorf("etcd does not answer: %w", err)
	}
	if len(reply.Kvs) == 0 {
		c.out.line(plain, "no keys of %s as of rev %d", c.object, reply.Header.Revision)
		return nil
	}
	known := c.readNames(j.ctx)
	var table strings.Builder
	_, _ = fmt.Fprintf(&table, "%s as of rev %d, the oldest first:\n", c.keyCount(len(reply.Kvs)), reply.Header.Revision)
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	for _, kv := range reply.Kvs {
		value := ""
		if len(kv.Value) > 0 {
			value = fmt.Sprintf("%q", kv.Value)
		}
		_, _ = fmt.Fprintf(w, "  %s\tcreated at rev %d\t%s\t%s\n", kv.Key, kv.CreateRevision, known.lease(kv.Lease), value)
	}
	_ = w.Flush() // to memory
	c.out.line(plain, "%s", strings.TrimRight(table.String(), " \n"))
	return nil
}

func (c *Console) status(j *job, _ []string) error {
	c.mu.Lock()
	name, s, belief, jobs, h := c.name, c.session, c.belief, c.jobs, c.harm
	var running []string
	for _, other := range jobs {
		if other != j {
			running = append(running, fmt.Sprintf("%s for %.1fs", other.command.name, time.Since(other.began).Seconds()))
		}
	}
	lostAt := c.lostAt
	c.mu.Unlock()
	switch {
	case belief != nil:
		c.out.line(green, "belief:  %s, for %.1fs: key %s created at rev %d", belief, time.Since(belief.since).Seconds(), belief.grant.Key, belief.grant.Token)
	default:
		c.out.line(plain, "belief:  %s has nothing", name)
	}
	switch {
	case s != nil:
		c.out.line(plain, "session: lease %s, TTL %v", leaseText(s.lease), s.ttl)
	case !lostAt.IsZero():
		c.out.line(red, "session: lost %.1fs ago", time.Since(lostAt).Seconds())
	}
	if h.lasts() {
		c.out.line(yellow, "links:   %s for %.1fs", h.kind, time.Since(h.began).Seconds())
	}
	if len(running) > 0 {
		c.out.line(yellow, "runs:    %s", strings.Join(running, ", "))
	}
	c.look(j.ctx, lookTimeout)
	return nil
}

// look tells what etcd says of the session and of what the console believes.
func (c *Console) look(ctx context.Context, patience time.Duration) {
	if err := c.tryLook(ctx, patience); err != nil {
		c.out.line(red, "etcd:    does not answer: %v", err)
	}
}

func (c *Console) tryLook(ctx context.Context, patience time.Duration) error {
	c.mu.Lock()
	s, belief := c.session, c.belief
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if s != nil {
		left, err := c.etcd.TimeToLive(ctx, s.lease)
		switch {
		case err != nil:
			return err
		case left.TTL < 0:
			c.out.line(red, "etcd:    lease %s is gone as of rev %d", leaseText(s.lease), left.Revision)
		default:
			c.out.line(plain, "etcd:    lease %s has %ds left of %ds, as of rev %d", leaseText(s.lease), left.TTL, left.GrantedTTL, left.Revision)
		}
	}
	if belief == nil {
		if s == nil {
			reply, err := c.etcd.Get(ctx, c.object, clientv3.WithCountOnly())
			if err != nil {
				return err
			}
			c.out.line(plain, "etcd:    answers, at rev %d", reply.Header.Revision)
		}
		return nil
	}
	reply, err := c.etcd.Get(ctx, belief.grant.Key)
	switch {
	case err != nil:
		return err
	case isGrant(reply, belief.grant.Token):
		c.out.line(plain, "etcd:    key %s is there, created at rev %d, as of rev %d", belief.grant.Key, belief.grant.Token, reply.Header.Revision)
	default:
		c.out.line(red, "etcd:    key %s created at rev %d is gone as of rev %d: the belief is wrong", belief.grant.Key, belief.grant.Token, reply.Header.Revision)
	}
	return nil
}

// isGrant is true if the reply is the key that was created at that revision.
func isGrant(reply *clientv3.GetResponse, created int64) bool {
	return len(reply.Kvs) == 1 && reply.Kvs[0].CreateRevision == created
}
