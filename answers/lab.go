package answers

import (
	"context"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"github.com/etcd-holdfast/holdfast/cluster/embedded"
	"github.com/etcd-holdfast/holdfast/cluster/link"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// lab is a cluster to measure on, and its clock.
type lab struct {
	cluster *embedded.Cluster
	clock   *history.Clock
}

const startPatience = 60 * time.Second

// openLab starts a cluster of three members with the defaults of scenarios:
// election timeout 500 ms, heartbeat 50 ms.
func openLab(ctx context.Context) (*lab, error) {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	c, err := embedded.Start(ctx, embedded.Config{})
	if err != nil {
		return nil, fmt.Errorf("start the cluster: %w", err)
	}
	return &lab{cluster: c, clock: history.NewClock()}, nil
}

func (l *lab) close() error { return l.cluster.Close() }

// leader returns who leads in the highest term, or "".
func (l *lab) leader() string {
	leader, term := "", uint64(0)
	for _, s := range l.cluster.Status() {
		if s.Running && s.Leads && s.Term >= term {
			leader, term = s.Member, s.Term
		}
	}
	return leader
}

// client is a client process: a connection of its own, with links of its own,
// to every member.
type client struct {
	lab    *lab
	party  string
	etcd   *clientv3.Client
	cancel context.CancelFunc
	lifts  []func()
}

// connect makes a client with the given name, which ends with ctx at the latest.
func (l *lab) connect(ctx context.Context, party string) (*client, error) {
	endpoints, err := l.cluster.Connect(party)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	// gRPC's own but for its longest delay: a waiter that lost its member has to
	// come back soon, or its delay would be measured and not the lock's.
	reconnect := backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second}
	etcd, err := clientv3.New(clientv3.Config{
		Endpoints: endpoints, DialTimeout: time.Second, Logger: zap.NewNop(), Context: ctx,
		DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{Backoff: reconnect, MinConnectTimeout: time.Second})},
	})
	if err != nil {
		cancel()
		l.cluster.Disconnect(party)
		return nil, fmt.Errorf("connect %s: %w", party, err)
	}
	return &client{lab: l, party: party, etcd: etcd, cancel: cancel}, nil
}

// die ends the client without a goodbye: its connections are closed, and its
// leases are left to run out. It may be called more than once.
func (c *client) die() {
	c.cancel()
	_ = c.etcd.Close() // its context is cancelled: it can only say so
}

// cut closes the client's connections and refuses new ones. The client lives.
func (c *client) cut() {
	for _, member := range c.lab.cluster.Members() {
		if l := c.lab.cluster.Link(c.party, member); l != nil {
			c.lifts = append(c.lifts, l.Impose(link.Condition{Cut: true}))
		}
	}
}

// close ends the client and removes its links.
func (c *client) close() {
	c.die()
	for _, lift := range c.lifts {
		lift()
	}
	c.lab.cluster.Disconnect(c.party)
}

// session opens a session with a time-to-live of whole seconds.
func (c *client) session(ttl time.Duration) (*workloads.Session, error) {
	s, err := concurrency.NewSession(c.etcd, concurrency.WithTTL(int(ttl/time.Second)))
	if err != nil {
		return nil, fmt.Errorf("open a session for %s: %w", c.party, err)
	}
	return &workloads.Session{Client: c.etcd, Session: s}, nil
}

// acquirer returns the call by which a session takes an object of a subject
// for itself alone: a lock, the write side of a read-write lock, a leadership.
func acquirer(subject *workloads.Subject, s *workloads.Session, object string) func(context.Context) (workloads.Grant, error) {
	switch {
	case subject.NewLock != nil:
		return subject.NewLock(s, object).Acquire
	case subject.NewRWLock != nil:
		return subject.NewRWLock(s, object).Acquire
	default:
		election := subject.NewElection(s, object)
		return func(ctx context.Context) (workloads.Grant, error) { return election.Campaign(ctx, "answers") }
	}
}

// sleep waits for d; it returns false if ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
