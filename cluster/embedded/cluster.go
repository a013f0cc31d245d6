package embedded

import (
	"context"
	"sync"

	"go.etcd.io/etcd/api/v3/version"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/cluster/members"
	"github.com/etcd-holdfast/holdfast/cluster/server"
)

// Config describes a cluster. The zero value is one of three members that elects
// a leader within a second and honours a lease of one second.
type Config = members.Config

// Cluster is a running cluster. Create it with Start. The group has its methods
// but for those of this package.
type Cluster struct {
	*members.Group[*server.Server]
	logs map[*members.Place]*server.Log

	mu    sync.Mutex
	names map[uint64]string // of members, by raft id
}

var (
	_ cluster.Cluster      = (*Cluster)(nil)
	_ cluster.StatusReader = (*Cluster)(nil)
	_ cluster.Linked       = (*Cluster)(nil)
	_ cluster.Crasher      = (*Cluster)(nil)
	_ cluster.LeaderMover  = (*Cluster)(nil)
)

// Start creates a cluster and returns when all its members serve. If it fails,
// or ctx ends before, nothing is left behind.
func Start(ctx context.Context, config Config) (*Cluster, error) {
	c := &Cluster{names: make(map[uint64]string), logs: make(map[*members.Place]*server.Log)}
	var err error
	c.Group, err = members.Prepare(config, members.Backend[*server.Server]{Kind: c.Kind(), Begin: c.begin, Lingers: true})
	if err != nil {
		return nil, err
	}
	for _, p := range c.Places() {
		c.logs[p] = server.NewLog(p.Log)
	}
	return members.Started(ctx, c)
}

func (c *Cluster) begin(_ context.Context, p *members.Place) (*server.Server, error) {
	started, err := server.Start(c.Spec(p), c.logs[p])
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.names[uint64(started.Etcd.Server.MemberID())] = p.Name
	return started, nil
}

// Kind returns "embedded".
func (c *Cluster) Kind() string { return "embedded" }

// Version returns the version of the etcd that is linked into this program.
func (c *Cluster) Version() string { return version.Version }
