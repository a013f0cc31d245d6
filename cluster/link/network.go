package link

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Network owns all links and listeners of one cluster. All methods are safe
// for concurrent use.
type Network struct {
	helloTimeout time.Duration

	// done ends when the network is closed.
	done   context.Context
	finish context.CancelFunc
	// work counts the goroutines of listeners and connections.
	work sync.WaitGroup

	// strangers counts connections of peers that were closed because nobody could
	// tell who dialled.
	strangers atomic.Int64

	mu     sync.Mutex
	closed bool
	// signatures are those of peers whose hello names nobody; see Recognise.
	signatures map[string][]uint16
	links      map[pair]*Link
	listeners  map[string]*listener // by address
	// accepted connections, from before anyone knows to which link they belong
	// until they end.
	accepted map[*net.TCPConn]struct{}
}

type pair struct{ from, to string }

// NewNetwork returns a network without links.
func NewNetwork() *Network {
	done, finish := context.WithCancel(context.Background())
	return &Network{
		helloTimeout: helloTimeout,
		done:         done,
		finish:       finish,
		links:        make(map[pair]*Link),
		listeners:    make(map[string]*listener),
		signatures:   make(map[string][]uint16),
		accepted:     make(map[*net.TCPConn]struct{}),
	}
}

// DeclarePeers creates the links between all of the named peers, so that a
// fault can be imposed before the first of them dials.
func (n *Network) DeclarePeers(names ...string) {
	for _, from := range names {
		for _, to := range names {
			if from != to {
				n.peerLink(from, to)
			}
		}
	}
}

// Recognise makes a peer known by the cipher suites of TLS 1.2 that it offers,
// where its hello names no server. No two peers may offer the same, and those of a
// TLS library's own choice, which any program offers, are no good.
func (n *Network) Recognise(name string, suites []uint16) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.signatures[name] = Signature(suites)
}

// dialler is who sent a hello, or "".
func (n *Network) dialler(h hello) string {
	if h.server != "" {
		return h.server
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for name, signature := range n.signatures {
		if slices.Equal(signature, h.suites) {
			return name
		}
	}
	return ""
}

// Strangers is how many connections of peers were closed because nobody could tell
// who dialled.
func (n *Network) Strangers() int64 { return n.strangers.Load() }

// ListenPeers opens the listener at which the peers of target dial it, and
// forwards to backend. Who dials is told by the server name of the TLS hello, or by
// its cipher suites; a link for a pair that was not declared is created by its first connection.
// The backend may be "" as long as the target is down.
func (n *Network) ListenPeers(target, backend string) (addr string, err error) {
	return n.listen(&listener{network: n, to: target, backend: backend}, "")
}

// Listen opens a listener of its own for the connections of one party to
// another, and forwards to backend. The backend may be "" as long as the
// target is down.
func (n *Network) Listen(from, to, backend string) (addr string, err error) {
	return n.listen(&listener{network: n, to: to, backend: backend}, from)
}

func (n *Network) listen(s *listener, from string) (addr string, err error) {
	socket, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return "", fmt.Errorf("listen for connections to %s: %w", s.to, err)
	}
	s.socket = socket
	addr = socket.Addr().String()

	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		_ = socket.Close()
		return "", fmt.Errorf("listen for connections to %s: the network is closed: %w", s.to, net.ErrClosed)
	}
	if from != "" {
		s.link = n.link(pair{from, s.to})
	}
	n.listeners[addr] = s
	n.work.Add(1)
	go s.accept()
	return addr, nil
}

// SetBackend makes the listener at addr, as ListenPeers or Listen returned it,
// forward new connections to backend; "" says that the target is down: they
// are closed as soon as they are accepted. Open connections stay; see Sever.
// An unknown addr is ignored.
func (n *Network) SetBackend(addr, backend string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s := n.listeners[addr]; s != nil {
		s.backend = backend
	}
}

// Link returns the link on which from dials to, or nil if there is none.
func (n *Network) Link(from, to string) *Link {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.links[pair{from, to}]
}

// link returns the link of a pair and creates it if there is none.
func (n *Network) link(p pair) *Link {
	l := n.links[p]
	if l == nil {
		l = newLink(p.from, p.to)
		l.removed = n.closed
		n.links[p] = l
	}
	return l
}

func (n *Network) peerLink(from, to string) *Link {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.link(pair{from, to})
}

// Remove closes the listeners and connections on which from dials, and forgets
// the links. A lift of what was imposed on them may still be called.
func (n *Network) Remove(from string) {
	var sockets []*net.TCPListener
	var links []*Link
	n.mu.Lock()
	for p, l := range n.links {
		if p.from == from {
			links = append(links, l)
			delete(n.links, p)
		}
	}
	for addr, s := range n.listeners {
		if s.link != nil && s.link.stats.From == from {
			sockets = append(sockets, s.socket)
			delete(n.listeners, addr)
		}
	}
	n.mu.Unlock()
	for _, socket := range sockets {
		_ = socket.Close()
	}
	for _, l := range links {
		l.remove()
	}
}

// Sever closes every open connection to the target now. To make a member look
// dead, set its backends to "" first: then none is open when Sever returns,
// nor later.
func (n *Network) Sever(to string) {
	var links []*Link
	n.mu.Lock()
	for p, l := range n.links {
		if p.to == to {
			links = append(links, l)
		}
	}
	n.mu.Unlock()
	for _, l := range links {
		l.severOpen()
	}
}

// Close closes all listeners and connections, and returns when every goroutine
// of the network has ended. It may be called more than once.
func (n *Network) Close() error {
	var errs []error
	n.mu.Lock()
	n.closed = true
	for addr, s := range n.listeners {
		errs = append(errs, s.socket.Close())
		delete(n.listeners, addr)
	}
	links := make([]*Link, 0, len(n.links))
	for _, l := range n.links {
		links = append(links, l)
	}
	for conn := range n.accepted {
		reset(conn)
	}
	n.mu.Unlock()

	n.finish()
	for _, l := range links {
		l.remove()
	}
	n.work.Wait()
	return errors.Join(errs...)
}

// goServe serves an accepted connection in a goroutine of its own.
func (n *Network) goServe(s *listener, conn *net.TCPConn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		reset(conn)
		return
	}
	n.accepted[conn] = struct{}{}
	n.work.Add(1)
	go func() {
		defer n.work.Done()
		s.serve(conn)
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.accepted, conn)
	}()
}
