package members

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster/link"
)

// Life is one server from its start to its end. Its methods are safe for
// concurrent use.
type Life interface {
	// Addresses are where the server accepts its peers and its clients. They stay
	// the same.
	Addresses() (peers, clients string)
	// Ended says why the server no longer runs, or returns nil if it does.
	Ended() error
	// Ready returns when the server has joined the cluster and serves, or an error
	// when it has ended or ctx has.
	Ready(ctx context.Context) error
	// End ends the server as abruptly as it can be ended. It is called once.
	End() error
}

// Backend is how servers live.
type Backend[L Life] struct {
	// Kind is the name of the kind of cluster, for errors.
	Kind string
	// Begin starts the server of a place. It does not wait for it to be ready.
	Begin func(context.Context, *Place) (L, error)
	// Lingers is true if a server that is being ended can still be heard, as a
	// part of this process can: it is cut off first.
	Lingers bool
	// Logs is true if servers have to have a log, even if nobody wants to keep it.
	Logs bool
	// Remote is true if servers have neither this machine's files nor its links: they
	// dial each other directly. Then places have no directory and no peer address,
	// and there are links to clients only.
	Remote bool
}

// Group is the places of a cluster and the links between them. Create it with
// Prepare. All methods are safe for concurrent use.
type Group[L Life] struct {
	config      Config
	backend     Backend[L]
	network     *link.Network
	workspace   *workspace
	certificate certificate
	places      []*Place
	seats       []*seat[L] // in the order of places

	closing    sync.Once
	closeError error

	// mu guards the fields below, and the changing ones of seats. It is never held
	// while waiting.
	mu      sync.Mutex
	closed  bool
	parties map[string][]address // of listeners, in the order of places
}

// address is a link's listener.
type address = string

// ErrClosed is returned by what needs a cluster that has not been closed.
var ErrClosed = errors.New("the cluster is closed")

// Started starts all members of a cluster that has been prepared, and returns it
// when they serve. If that fails the cluster is closed.
func Started[C interface {
	StartAll(context.Context) error
	Close() error
}](ctx context.Context, c C) (C, error) {
	if err := c.StartAll(ctx); err != nil {
		var none C
		return none, errors.Join(err, c.Close())
	}
	return c, nil
}

// Prepare creates a group in which no server runs yet. If it fails, nothing is left
// behind.
func Prepare[L Life](c Config, b Backend[L]) (*Group[L], error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("%s cluster: %w", b.Kind, err)
	}
	g := &Group[L]{config: c, backend: b, network: link.NewNetwork(), parties: make(map[string][]address)}
	if err := g.prepare(); err != nil {
		return nil, fmt.Errorf("start %s cluster: %w", b.Kind, errors.Join(err, g.Close()))
	}
	return g, nil
}

// prepare creates all that a server needs before it starts.
func (g *Group[L]) prepare() (err error) {
	if g.workspace, err = newWorkspace(g.config.Directory); err != nil {
		return err
	}
	names := make([]string, g.config.Members)
	for i := range names {
		names[i] = fmt.Sprintf("m%d", i+1)
	}
	if !g.backend.Remote {
		tls, err := g.workspace.create("tls")
		if err != nil {
			return err
		}
		if g.certificate, err = newCertificate(tls, names); err != nil {
			return err
		}
	}
	if g.backend.Logs && g.config.LogDirectory == "" {
		if g.config.LogDirectory, err = g.workspace.create("logs"); err != nil {
			return err
		}
	}
	for _, name := range names {
		if err := g.preparePlace(name); err != nil {
			return fmt.Errorf("member %s: %w", name, err)
		}
	}
	if !g.backend.Remote {
		g.network.DeclarePeers(names...)
	}
	return nil
}

func (g *Group[L]) preparePlace(name string) (err error) {
	p := &Place{Name: name}
	if !g.backend.Remote {
		if p.Directory, err = g.workspace.create(name); err != nil {
			return err
		}
	}
	if p.Log, err = openLog(g.config.LogDirectory, name); err != nil {
		return err
	}
	g.places = append(g.places, p)
	g.seats = append(g.seats, &seat[L]{place: p, turn: make(chan struct{}, 1)})
	if !g.backend.Remote {
		p.PeerAddress, err = g.network.ListenPeers(name, "")
	}
	return err
}

// StartAll starts all members at once: none is ready without a quorum.
func (g *Group[L]) StartAll(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("start %s cluster: %w", g.backend.Kind, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, len(g.places))
	var starts sync.WaitGroup
	for i, p := range g.places {
		starts.Go(func() {
			if errs[i] = g.Restart(ctx, p.Name); errs[i] != nil {
				cancel()
			}
		})
	}
	starts.Wait()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("start %s cluster: %w", g.backend.Kind, err)
	}
	return nil
}

// Members returns m1, m2, …
func (g *Group[L]) Members() []string {
	names := make([]string, len(g.places))
	for i, p := range g.places {
		names[i] = p.Name
	}
	return names
}

// Places are those of all members, in the order of Members.
func (g *Group[L]) Places() []*Place { return g.places }

// Place returns that of a member. It is an error if there is no such member.
func (g *Group[L]) Place(member string) (*Place, error) {
	s, err := g.seat(member)
	if err != nil {
		return nil, err
	}
	return s.place, nil
}

// Directory is where the members keep what they need.
func (g *Group[L]) Directory() string { return g.workspace.root }

// Network owns all links of the cluster.
func (g *Group[L]) Network() *link.Network { return g.network }

// Lives returns the server of each place, in the order of Members, and whether
// there is one.
func (g *Group[L]) Lives() (lives []L, running []bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, s := range g.seats {
		lives, running = append(lives, s.life), append(running, s.taken)
	}
	return lives, running
}

// LifeOf returns the server of a member. It is an error if there is no such member,
// or if it is down.
func (g *Group[L]) LifeOf(member string) (life L, err error) {
	s, err := g.seat(member)
	if err != nil {
		return life, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !s.taken {
		return life, errors.New("it is down")
	}
	return s.life, nil
}

// Bereft says how a member's server ended that has not been ended here, or returns
// nil.
func (g *Group[L]) Bereft(member string) error {
	life, err := g.LifeOf(member)
	if err != nil {
		return nil // it is down because it was ended
	}
	how := life.Ended()
	if how == nil {
		return nil
	}
	// Whoever ends a server takes its seat away before.
	if now, err := g.LifeOf(member); err != nil || any(now) != any(life) {
		return nil
	}
	return how
}

// closeTimeout bounds how long Close waits for a member. One that etcd has
// given up may never end.
const closeTimeout = 10 * time.Second

// Close crashes all members and removes everything that Prepare has created, and what was put there. It
// returns the same error each time.
func (g *Group[L]) Close() error {
	g.closing.Do(func() { g.closeError = g.close() })
	return g.closeError
}

func (g *Group[L]) close() error {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()

	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	errs := make([]error, len(g.seats))
	var stops sync.WaitGroup
	for i, s := range g.seats {
		stops.Go(func() {
			if err := g.end(ctx, s, L.End); err != nil {
				errs[i] = fmt.Errorf("stop member %s: %w", s.place.Name, err)
			}
		})
	}
	stops.Wait()

	errs = append(errs, g.network.Close())
	for _, p := range g.places {
		if p.Log != nil {
			errs = append(errs, p.Log.Close())
		}
		if p.Vacate != nil {
			errs = append(errs, p.Vacate())
		}
	}
	if g.workspace != nil {
		errs = append(errs, g.workspace.remove())
	}
	return errors.Join(errs...)
}

// AddressesOf are where the server of a member accepts its peers and its clients. It
// is an error if there is no such member, or if it is down.
func (g *Group[L]) AddressesOf(member string) (peers, clients string, err error) {
	life, err := g.LifeOf(member)
	if err != nil {
		return "", "", err
	}
	peers, clients = life.Addresses()
	return peers, clients, nil
}
