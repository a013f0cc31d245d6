package process

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/cluster/inquiry"
	"github.com/etcd-holdfast/holdfast/cluster/members"
	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

// Cluster is a running cluster. Create it with Start. The group has its methods
// but for those of this package.
type Cluster struct {
	*members.Group[*life]
	config Config
	parent *offspring.Parent

	// listening is who hears what processes tell.
	listening sync.WaitGroup
	register  inquiry.Register
}

var (
	_ cluster.Cluster      = (*Cluster)(nil)
	_ cluster.StatusReader = (*Cluster)(nil)
	_ cluster.Linked       = (*Cluster)(nil)
	_ cluster.Crasher      = (*Cluster)(nil)
	_ cluster.LeaderMover  = (*Cluster)(nil)
	_ cluster.Stopper      = (*Cluster)(nil)
	_ cluster.Freezer      = (*Cluster)(nil)
	_ cluster.DiskSlower   = (*Cluster)(nil)
	_ cluster.DiskFiller   = (*Cluster)(nil)
)

// Start creates a cluster and returns when all its members serve. If it fails,
// or ctx ends before, nothing is left behind.
func Start(ctx context.Context, config Config) (*Cluster, error) {
	c := &Cluster{config: config}
	var err error
	c.Group, err = members.Prepare(config.Config, members.Backend[*life]{Kind: c.Kind(), Begin: c.begin, Logs: true})
	if err != nil {
		return nil, err
	}
	if err := c.prepare(); err != nil {
		return nil, fmt.Errorf("start process cluster: %w", errors.Join(err, c.Close()))
	}
	return members.Started(ctx, c)
}

// StartAll starts all members, and makes sure that the links know who dials.
func (c *Cluster) StartAll(ctx context.Context) error {
	if err := c.Group.StartAll(ctx); err != nil {
		return err
	}
	if err := c.recognised(ctx); err != nil {
		return fmt.Errorf("start process cluster: %w", err)
	}
	return nil
}

// prepare gets ready what only this kind of cluster needs.
func (c *Cluster) prepare() (err error) {
	if err := c.config.validate(c.Members()); err != nil {
		return err
	}
	c.recognise()
	if c.config.Disk != 0 {
		for _, p := range c.Places() {
			if err := mountDisk(p, c.config.Disk); err != nil {
				return err
			}
		}
	}
	c.parent, err = offspring.NewParent()
	return err
}

// Kind returns "process".
func (c *Cluster) Kind() string { return "process" }

// begin starts the process of a member.
func (c *Cluster) begin(ctx context.Context, p *members.Place) (*life, error) {
	if binary := c.config.binaryOf(p.Name); binary != "" {
		return c.beginForeign(ctx, p, binary)
	}
	return c.beginOwn(ctx, p)
}

// startProcess starts a process, through a gate if disks are to be made slow.
func (c *Cluster) startProcess(command offspring.Command) (*offspring.Process, *gate, error) {
	if c.config.SlowDisks {
		return throughGate(c.parent, command)
	}
	process, err := c.parent.Start(command)
	return process, nil, err
}

// Close kills all members and removes everything that Start has created. It
// returns the same error each time.
func (c *Cluster) Close() error {
	err := c.Group.Close()
	if c.parent != nil {
		err = errors.Join(err, c.parent.Close())
	}
	c.listening.Wait()
	return err
}

// PID is the id of the process of a member. It is an error if there is no such
// member, or if it is down.
func (c *Cluster) PID(member string) (int, error) {
	l, err := c.LifeOf(member)
	if err != nil {
		return 0, err
	}
	return l.process.PID(), nil
}
