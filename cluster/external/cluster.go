package external

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/cluster/link"
)

// Kind is the name of this kind of cluster.
const Kind = "external"

// Cluster is a cluster that runs. Create it with Start.
type Cluster struct {
	config  Config
	network *link.Network
	members []*member

	// end ends the looking at members, and looking counts its goroutines.
	end     context.CancelFunc
	looking sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	parties map[string][]string // the URLs of listeners, in the order of members
}

var (
	_ cluster.Cluster      = (*Cluster)(nil)
	_ cluster.StatusReader = (*Cluster)(nil)
	_ cluster.Linked       = (*Cluster)(nil)
	_ cluster.LeaderMover  = (*Cluster)(nil)
	_ cluster.Addressed    = (*Cluster)(nil)
)

// member is one member, as it is known from outside.
type member struct {
	endpoint
	name    string
	id      uint64
	version string
	// client asks it, through a link that no fault touches.
	client *clientv3.Client

	mu     sync.Mutex
	status cluster.Status
	denied bool // the user may not ask for it
}

// statusParty is for whom the links are by which members are asked who leads.
const statusParty = "status"

// Start connects to a cluster, and returns it when all its members have answered.
// They must be of one cluster, each of them once.
func Start(ctx context.Context, config Config) (_ *Cluster, err error) {
	c := &Cluster{config: config, network: link.NewNetwork(), parties: make(map[string][]string), end: func() {}}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	if len(config.Endpoints) == 0 {
		return nil, errors.New("no endpoint is given; there has to be one for each member")
	}
	for i, text := range config.Endpoints {
		e, err := parseEndpoint(text, config.TLS != nil)
		if err != nil {
			return nil, err
		}
		if e.secure && config.TLS == nil {
			if c.config.TLS, err = (Files{}).Load(); err != nil {
				return nil, err
			}
		}
		c.members = append(c.members, &member{endpoint: e, name: fmt.Sprintf("m%d", i+1)})
	}
	if err := c.reach(ctx); err != nil {
		return nil, err
	}
	if err := c.ask(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// reach finds out whether there is a way to each member.
func (c *Cluster) reach(ctx context.Context) error {
	errs := make([]error, len(c.members))
	var dials sync.WaitGroup
	for i, m := range c.members {
		dials.Go(func() {
			if err := link.Secure(ctx, m.address, c.tlsOf(m)); err != nil {
				errs[i] = fmt.Errorf("reach %s: %w%s", m.url(), err, hint(err))
			}
		})
	}
	dials.Wait()
	return errors.Join(errs...)
}

// hint says what to look at when a member cannot be spoken to.
func hint(err error) string {
	var unknown *tls.CertificateVerificationError
	switch text := err.Error(); {
	case errors.As(err, &unknown):
		return "; name the authority by --cacert (cluster.tls.ca-file), or the name in the certificate by cluster.tls.server-name"
	case strings.Contains(text, "certificate required"), strings.Contains(text, "bad certificate"):
		return "; the cluster asks for a client's certificate: --cert and --key (cluster.tls.cert-file and key-file)"
	case strings.Contains(text, "first record does not look like a TLS handshake"):
		return "; it speaks in the clear: http:// instead of https://"
	case errors.Is(err, io.EOF):
		return "; it hung up, as one does that speaks in the clear: http:// instead of https://"
	}
	return ""
}

// tlsOf is how a member is spoken to; nil is in the clear.
func (c *Cluster) tlsOf(m *member) *tls.Config {
	if !m.secure {
		return nil
	}
	config := c.config.TLS.Clone()
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(m.address)
	}
	config.NextProtos = []string{"h2"}
	return config
}

// taken are the names that parties have.
var taken = regexp.MustCompile(`^(c\d+(\.\d+)?|observer|admin|probe|` + statusParty + `)$`)

// name gives members the names that they have among themselves, if those are known
// and are good for it.
func (c *Cluster) name(names map[uint64]string) {
	seen := make(map[string]bool)
	for _, m := range c.members {
		name := names[m.id]
		if name == "" || seen[name] || taken.MatchString(name) || strings.ContainsAny(name, " \t\n,") {
			return
		}
		seen[name] = true
	}
	for _, m := range c.members {
		m.name = names[m.id]
	}
}

// Kind returns "external".
func (c *Cluster) Kind() string { return Kind }

// Version returns the version of etcd that the members run, by their own account; of
// a mixed cluster each with who runs it.
func (c *Cluster) Version() string {
	who := make(map[string][]string)
	for _, m := range c.members {
		who[m.version] = append(who[m.version], m.name)
	}
	versions := slices.Sorted(maps.Keys(who))
	if len(versions) == 1 {
		return versions[0]
	}
	for i, v := range versions {
		versions[i] = v + " (" + strings.Join(who[v], ", ") + ")"
	}
	return strings.Join(versions, ", ")
}

// Members returns the names of the members, in the order of the endpoints: those
// that they have in the cluster, or m1, m2, … where the user may not ask for them.
func (c *Cluster) Members() []string {
	names := make([]string, len(c.members))
	for i, m := range c.members {
		names[i] = m.name
	}
	return names
}

// Endpoint is the URL of a member itself, past all links, or "".
func (c *Cluster) Endpoint(name string) string {
	for _, m := range c.members {
		if m.name == name {
			return m.url()
		}
	}
	return ""
}

// Connect gives party a link of its own to every member, and returns the URLs to
// dial, in the order of Members.
func (c *Cluster) Connect(party string) ([]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, fmt.Errorf("connect %q: the cluster is closed", party)
	}
	if party == "" || slices.Contains(c.Members(), party) {
		return nil, fmt.Errorf("connect %q: a party needs a name, which is no member's", party)
	}
	if urls, ok := c.parties[party]; ok {
		return urls, nil
	}
	var urls []string
	for _, m := range c.members {
		address, err := "", error(nil)
		if config := c.tlsOf(m); config != nil {
			address, err = c.network.ListenTLS(party, m.name, m.address, config)
		} else {
			address, err = c.network.Listen(party, m.name, m.address)
		}
		if err != nil {
			c.network.Remove(party)
			return nil, fmt.Errorf("connect %q: %w", party, err)
		}
		urls = append(urls, "http://"+address)
	}
	c.parties[party] = urls
	return urls, nil
}

// Disconnect closes party's connections and removes its links.
func (c *Cluster) Disconnect(party string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.parties[party]; ok {
		delete(c.parties, party)
		c.network.Remove(party)
	}
}

// Link returns the link over which a party dials a member, or nil if there is none.
// There are none between members.
func (c *Cluster) Link(from, to string) cluster.Link {
	if l := c.network.Link(from, to); l != nil {
		return l
	}
	return nil
}

// Close closes all connections. The cluster goes on.
func (c *Cluster) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.end()
	for _, m := range c.members {
		if m.client != nil {
			_ = m.client.Close() // its context is cancelled: closing can only say so
		}
	}
	c.looking.Wait()
	return c.network.Close()
}

// dial connects to a member through a link.
func (c *Cluster) dial(ctx context.Context, url string) (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{
		Endpoints: []string{url}, Username: c.config.Username, Password: c.config.Password,
		DialTimeout: askPatience, Logger: zap.NewNop(), Context: ctx,
	})
}
