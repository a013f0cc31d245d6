package external

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/etcd-holdfast/holdfast/cluster"
)

const (
	// askPatience is how long a member may take to answer.
	askPatience = 5 * time.Second
	// lookPause is how often members are asked who leads, and lookPatience how long
	// one may take before it counts as not running.
	lookPause    = 200 * time.Millisecond
	lookPatience = time.Second
)

// ask asks all members who they are, and begins to look at them.
func (c *Cluster) ask(ctx context.Context) error {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	c.end = end
	urls, err := c.Connect(statusParty)
	if err != nil {
		return err
	}
	ofCluster := uint64(0)
	ids := make(map[uint64]*member)
	first := make([]*etcdserverpb.StatusResponse, len(c.members))
	for i, m := range c.members {
		if m.client, err = c.dial(life, urls[i]); err != nil {
			return fmt.Errorf("log in at %s: %w%s", m.url(), err, c.advice(err))
		}
		header, reply, err := m.ask(ctx)
		if err != nil {
			return fmt.Errorf("ask %s who it is: %w%s", m.url(), err, c.advice(err))
		}
		if i > 0 && header.ClusterId != ofCluster {
			return fmt.Errorf("%s is of another cluster than %s: its id is %x and not %x", m.url(), c.members[0].url(), header.ClusterId, ofCluster)
		}
		if other := ids[header.MemberId]; other != nil {
			return fmt.Errorf("%s and %s are one member; there has to be one endpoint for each member", other.url(), m.url())
		}
		ofCluster, m.id = header.ClusterId, header.MemberId
		ids[m.id], first[i] = m, reply
	}
	names := make(map[uint64]string)
	within, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	// Who may not ask for names does without.
	if reply, err := c.members[0].client.MemberList(within); err == nil {
		for _, m := range reply.Members {
			names[m.ID] = m.Name
		}
	}
	c.name(names)
	for i, m := range c.members {
		c.heard(m, first[i])
		c.looking.Go(func() { c.look(life, m) })
	}
	return nil
}

// advice says what to do about an error of logging in or of asking.
func (c *Cluster) advice(err error) string {
	switch {
	case errors.Is(err, rpctypes.ErrAuthFailed):
		return fmt.Sprintf(" (as user %q); the password comes from HOLDFAST_PASSWORD or a file: --password-file", c.config.Username)
	case errors.Is(err, rpctypes.ErrUserEmpty):
		return "; the cluster wants to know who asks: give a user by --user or HOLDFAST_USER, and the password by HOLDFAST_PASSWORD or --password-file"
	}
	return ""
}

// ask asks a member who it is, and how it is, if that may be asked.
func (m *member) ask(ctx context.Context) (*etcdserverpb.ResponseHeader, *etcdserverpb.StatusResponse, error) {
	within, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	reply, err := m.client.Status(within, m.client.Endpoints()[0])
	if err == nil {
		m.version = reply.Version
		return reply.Header, (*etcdserverpb.StatusResponse)(reply), nil
	}
	if !denied(err) {
		return nil, nil, err
	}
	// Any answer says who gave it.
	m.denied, m.version = true, "unknown"
	grant, err := m.client.Grant(within, 60)
	if err != nil {
		return nil, nil, err
	}
	_, err = m.client.Revoke(within, grant.ID)
	return grant.ResponseHeader, nil, err
}

// denied is true if a user may not do something.
func denied(err error) bool {
	return errors.Is(err, rpctypes.ErrPermissionDenied) || status.Code(err) == codes.PermissionDenied || errors.Is(err, rpctypes.ErrPermissionNotGranted)
}

// look asks a member now and then, until ctx ends.
func (c *Cluster) look(ctx context.Context, m *member) {
	for !m.denied {
		within, cancel := context.WithTimeout(ctx, lookPatience)
		reply, err := m.client.Status(within, m.client.Endpoints()[0])
		cancel()
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			reply = nil
		}
		c.heard(m, (*etcdserverpb.StatusResponse)(reply))
		timer := time.NewTimer(lookPause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// heard takes note of an answer; nil is none.
func (c *Cluster) heard(m *member, reply *etcdserverpb.StatusResponse) {
	s := cluster.Status{Member: m.name}
	if reply != nil {
		s.Running, s.Term = true, reply.RaftTerm
		s.Leads = reply.Leader != 0 && reply.Leader == m.id
		for _, other := range c.members {
			if other.id == reply.Leader {
				s.Leader = other.name
			}
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.status = s
}

// Status returns what each member said last of itself, in the order of Members. One
// that does not answer counts as not running. It is nil where the user may not ask.
func (c *Cluster) Status() []cluster.Status {
	var all []cluster.Status
	for _, m := range c.members {
		if m.denied {
			return nil
		}
		m.mu.Lock()
		all = append(all, m.status)
		m.mu.Unlock()
	}
	return all
}

// MoveLeader makes a member the leader. The user has to be one who may.
func (c *Cluster) MoveLeader(ctx context.Context, name string) error {
	var next, leader *member
	for i, s := range c.Status() {
		if s.Member == name {
			next = c.members[i]
		}
		if s.Leads {
			leader = c.members[i]
		}
	}
	switch {
	case next == nil:
		return fmt.Errorf("make %s the leader: there is no such member, or the user may not ask who leads", name)
	case leader == nil:
		return fmt.Errorf("make %s the leader: nobody leads", name)
	case leader == next:
		return nil
	}
	if _, err := leader.client.MoveLeader(ctx, next.id); err != nil {
		return fmt.Errorf("make %s the leader: %w", name, err)
	}
	reply, err := next.client.Status(ctx, next.client.Endpoints()[0])
	if err != nil {
		return fmt.Errorf("make %s the leader: ask it: %w", name, err)
	}
	c.heard(next, (*etcdserverpb.StatusResponse)(reply))
	old, err := leader.client.Status(ctx, leader.client.Endpoints()[0])
	if err == nil {
		c.heard(leader, (*etcdserverpb.StatusResponse)(old))
	}
	return nil
}
