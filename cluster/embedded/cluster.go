package embedded

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/version"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/cluster/link"
)

// Cluster is a running cluster. Create it with Start.
type Cluster struct {
	config      Config
	network     *link.Network
	workspace   *workspace
	certificate certificate
	members     []*member

	closing    sync.Once
	closeError error

	// mu guards the fields below, and the changing ones of members. It is
	// never held while waiting.
	mu      sync.Mutex
	closed  bool
	names   map[uint64]string    // of members, by raft id
	parties map[string][]address // of listeners, in the order of members
}

// address is a link's listener.
type address = string

var (
	_ cluster.Cluster      = (*Cluster)(nil)
	_ cluster.StatusReader = (*Cluster)(nil)
	_ cluster.Linked       = (*Cluster)(nil)
	_ cluster.Crasher      = (*Cluster)(nil)
	_ cluster.LeaderMover  = (*Cluster)(nil)
)

// errClosed is returned by what needs a cluster that has not been closed.
var errClosed = errors.New("the cluster is closed")

// Start creates a cluster and returns when all its members serve. If it fails,
// or ctx ends before, nothing is left behind.
func Start(ctx context.Context, c Config) (*Cluster, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("embedded cluster: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("start embedded cluster: %w", err)
	}
	started := &Cluster{
		config:  c,
		network: link.NewNetwork(),
		names:   make(map[uint64]string),
		parties: make(map[string][]address),
	}
	if err := errors.Join(started.prepare(), started.startAll(ctx)); err != nil {
		return nil, fmt.Errorf("start embedded cluster: %w", errors.Join(err, started.Close()))
	}
	return started, nil
}

// prepare creates all that a server needs before it starts.
func (c *Cluster) prepare() (err error) {
	if c.workspace, err = newWorkspace(c.config.Directory); err != nil {
		return err
	}
	names := make([]string, c.config.Members)
	for i := range names {
		names[i] = fmt.Sprintf("m%d", i+1)
	}
	tls, err := c.workspace.create("tls")
	if err != nil {
		return err
	}
	if c.certificate, err = newCertificate(tls, names); err != nil {
		return err
	}
	for _, name := range names {
		if err := c.prepareMember(name); err != nil {
			return fmt.Errorf("member %s: %w", name, err)
		}
	}
	c.network.DeclarePeers(names...)
	return nil
}

func (c *Cluster) prepareMember(name string) (err error) {
	m := &member{name: name, turn: make(chan struct{}, 1)}
	if m.directory, err = c.workspace.create(name); err != nil {
		return err
	}
	if m.log, err = newMemberLog(c.config.LogDirectory, name); err != nil {
		return err
	}
	c.members = append(c.members, m)
	m.peerAddress, err = c.network.ListenPeers(name, "")
	return err
}

// startAll starts all members at once: none is ready without a quorum.
func (c *Cluster) startAll(ctx context.Context) error {
	if len(c.members) < c.config.Members {
		return nil // prepare has failed
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, len(c.members))
	var starts sync.WaitGroup
	for i, m := range c.members {
		starts.Go(func() {
			if errs[i] = c.Restart(ctx, m.name); errs[i] != nil {
				cancel()
			}
		})
	}
	starts.Wait()
	return errors.Join(errs...)
}

// Kind returns "embedded".
func (c *Cluster) Kind() string { return "embedded" }

// Version returns the version of the etcd that is linked into this program.
func (c *Cluster) Version() string { return version.Version }

// Members returns m1, m2, …
func (c *Cluster) Members() []string {
	names := make([]string, len(c.members))
	for i, m := range c.members {
		names[i] = m.name
	}
	return names
}

func (c *Cluster) member(name string) (*member, error) {
	for _, m := range c.members {
		if m.name == name {
			return m, nil
		}
	}
	return nil, fmt.Errorf("there is no member %q, only %q", name, c.Members())
}

// closeTimeout bounds how long Close waits for a member. One that etcd has
// given up may never end.
const closeTimeout = 10 * time.Second

// Close crashes all members and removes everything that Start has created. It
// returns the same error each time.
func (c *Cluster) Close() error {
	c.closing.Do(func() { c.closeError = c.close() })
	return c.closeError
}

func (c *Cluster) close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()

	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	errs := make([]error, len(c.members))
	var stops sync.WaitGroup
	for i, m := range c.members {
		stops.Go(func() {
			if err := c.crash(ctx, m); err != nil {
				errs[i] = fmt.Errorf("stop member %s: %w", m.name, err)
			}
		})
	}
	stops.Wait()

	errs = append(errs, c.network.Close())
	for _, m := range c.members {
		errs = append(errs, m.log.close())
	}
	if c.workspace != nil {
		errs = append(errs, c.workspace.remove())
	}
	return errors.Join(errs...)
}
