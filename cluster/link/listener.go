package link

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"
)

const (
	// dialTimeout bounds how long a target may take to accept a connection.
	dialTimeout = 5 * time.Second
	// acceptPause keeps a listener from spinning while the process has no file
	// descriptors left.
	acceptPause = 10 * time.Millisecond
)

var errDown = errors.New("link: the target is down")

// listener accepts connections to one target.
type listener struct {
	network *Network
	socket  *net.TCPListener
	to      string
	// link is the one to which all connections belong, or nil if each says
	// itself who dialled.
	link *Link
	// secure, if not nil, is how the target is spoken to; see ListenTLS.
	secure *tls.Config
	// backend is guarded by network.mu.
	backend string
}

func (s *listener) accept() {
	defer s.network.work.Done()
	for {
		conn, err := s.socket.AcceptTCP()
		switch {
		case err == nil:
			s.network.goServe(s, conn)
		case errors.Is(err, net.ErrClosed):
			return
		default:
			select {
			case <-s.network.done.Done():
				return
			case <-time.After(acceptPause):
			}
		}
	}
}

func (s *listener) serve(conn *net.TCPConn) {
	l, hello := s.link, []byte(nil)
	if l == nil {
		said, read, err := readHello(conn, s.network.helloTimeout)
		from := s.network.dialler(said)
		if err != nil || from == "" {
			s.network.strangers.Add(1)
			reset(conn)
			return
		}
		l, hello = s.network.peerLink(from, s.to), read
	}
	l.serve(s.network.done, conn, hello, s.dial, s.link != nil)
}

func (s *listener) dial(ctx context.Context) (*net.TCPConn, error) {
	s.network.mu.Lock()
	backend := s.backend
	s.network.mu.Unlock()
	if backend == "" {
		return nil, errDown
	}
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", backend)
	if err != nil {
		return nil, err
	}
	if s.secure != nil {
		return s.network.secured(ctx, conn.(*net.TCPConn), s.secure)
	}
	return conn.(*net.TCPConn), nil
}
