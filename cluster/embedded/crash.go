package embedded

import (
	"context"
	"fmt"

	"github.com/etcd-holdfast/holdfast/cluster/link"
)

// Crash ends the member at once: from when it is called nothing that the
// member does reaches anybody. It returns when the server has ended. A member
// that is down stays so.
func (c *Cluster) Crash(ctx context.Context, name string) error {
	m, err := c.member(name)
	if err == nil {
		err = c.crash(ctx, m)
	}
	if err != nil {
		return fmt.Errorf("crash member %s: %w", name, err)
	}
	return nil
}

func (c *Cluster) crash(ctx context.Context, m *member) error {
	if err := m.lock(ctx); err != nil {
		return err
	}
	ended := make(chan struct{})
	life, reconnect := c.isolate(m)
	go func() { // so that ctx bounds the wait; whoever locks the member next joins it
		defer close(ended)
		defer m.unlock()
		defer reconnect()
		if life != nil {
			life.end()
		}
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("it is still stopping: %w", context.Cause(ctx))
	}
}

// isolate takes the server from a member and cuts it off from everybody, in
// both directions: the connections to it are severed and find nobody, and
// those that it dialled are cut until reconnect is called.
func (c *Cluster) isolate(m *member) (ended *life, reconnect func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ended, m.life = m.life, nil
	c.setBackends(m, "", "")

	var lifts []func()
	for _, other := range c.members {
		if l := c.network.Link(m.name, other.name); l != nil {
			lifts = append(lifts, l.Impose(link.Condition{Cut: true}))
		}
	}
	c.network.Sever(m.name)
	return ended, func() {
		for _, lift := range lifts {
			lift()
		}
	}
}

// Restart starts the member on the data that it left, and returns when it
// serves. It serves only once there is a quorum, so members of which more than
// a minority is down have to be restarted at the same time; if ctx ends before
// there is one, the server stays, and serves when it can. Restarting a member
// that is up just waits for it; one that etcd has given up has to be crashed
// first.
func (c *Cluster) Restart(ctx context.Context, name string) error {
	m, err := c.member(name)
	if err == nil {
		err = c.restart(ctx, m)
	}
	if err != nil {
		return fmt.Errorf("start member %s: %w", name, err)
	}
	return nil
}

func (c *Cluster) restart(ctx context.Context, m *member) error {
	if err := m.lock(ctx); err != nil {
		return err
	}
	life, err := c.ensureLife(m)
	m.unlock()
	if err != nil {
		return err
	}
	return life.ready(ctx)
}

// ensureLife starts a server for a member that has none.
func (c *Cluster) ensureLife(m *member) (*life, error) {
	c.mu.Lock()
	closed, current := c.closed, m.life
	c.mu.Unlock()
	if closed {
		return nil, errClosed
	}
	if current != nil {
		return current, nil
	}
	started, err := m.begin(c.etcdConfig)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	m.life = started
	c.names[uint64(started.etcd.Server.MemberID())] = m.name
	c.setBackends(m,
		started.etcd.Peers[0].Addr().String(),
		started.etcd.Clients[0].Addr().String())
	return started, nil
}

// setBackends tells the links where a member accepts its peers and clients
// from now on, "" if nowhere. It is called with mu held.
func (c *Cluster) setBackends(m *member, peers, clients string) {
	c.network.SetBackend(m.peerAddress, peers)
	m.clientBackend = clients
	for i, other := range c.members {
		if other != m {
			continue
		}
		for _, addresses := range c.parties {
			c.network.SetBackend(addresses[i], clients)
		}
	}
}
