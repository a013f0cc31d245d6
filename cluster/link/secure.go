package link

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// handshakeTimeout bounds how long a target may take to agree on TLS.
const handshakeTimeout = 5 * time.Second

// ListenTLS is Listen for a target that speaks TLS: who dials the listener speaks
// in the clear, so that messages are recognised, and what goes on to the target is
// encrypted. The listener is of this machine alone, but any of its users can dial
// it: to the target they are whoever config says.
//
// Behind the link each connection passes through two goroutines that encrypt and
// decrypt. What they were given before a stall still passes, as what the operating
// system was given does.
func (n *Network) ListenTLS(from, to, backend string, config *tls.Config) (addr string, err error) {
	return n.listen(&listener{network: n, to: to, backend: backend, secure: config}, from)
}

// secured agrees on TLS over conn and returns the end of a connection of this
// machine that leads there. It is called by a goroutine that the network counts.
func (n *Network) secured(ctx context.Context, conn *net.TCPConn, config *tls.Config) (*net.TCPConn, error) {
	within, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	far := tls.Client(conn, config)
	if err := far.HandshakeContext(within); err != nil {
		reset(conn)
		return nil, err
	}
	near, theirs, err := loop(within)
	if err != nil {
		reset(conn)
		return nil, err
	}
	n.work.Add(1)
	go func() {
		defer n.work.Done()
		carry(theirs, far, conn)
	}()
	return near, nil
}

// carry passes on what comes from either side until both have finished. One that
// is reset resets the other.
func carry(near *net.TCPConn, far *tls.Conn, wire *net.TCPConn) {
	give := sync.OnceFunc(func() {
		reset(near)
		reset(wire)
	})
	var answers sync.WaitGroup
	answers.Go(func() {
		if _, err := io.Copy(near, far); err != nil || near.CloseWrite() != nil {
			give()
		}
	})
	if _, err := io.Copy(far, near); err != nil || far.CloseWrite() != nil {
		give()
	}
	answers.Wait()
	_ = near.Close()
	_ = wire.Close()
}

// loop returns both ends of a connection of this machine. Nobody else can have
// either.
func loop(ctx context.Context) (near, far *net.TCPConn, err error) {
	socket, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = socket.Close() }()
	dialer := net.Dialer{}
	conn, err := dialer.DialContext(ctx, "tcp", socket.Addr().String())
	if err != nil {
		return nil, nil, err
	}
	near = conn.(*net.TCPConn)
	if deadline, ok := ctx.Deadline(); ok {
		_ = socket.SetDeadline(deadline)
	}
	for {
		if far, err = socket.AcceptTCP(); err != nil {
			reset(near)
			return nil, nil, fmt.Errorf("connect this machine with itself: %w", err)
		}
		if far.RemoteAddr().String() == near.LocalAddr().String() {
			return near, far, nil
		}
		reset(far) // somebody else has dialled in between
	}
}

// Secure dials an address and agrees on TLS, or without config on HTTP/2 in the clear, to
// find out why that fails, if it does: a link only counts that it could not reach its
// target.
func Secure(ctx context.Context, address string, config *tls.Config) error {
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if config == nil {
		return greet(ctx, conn)
	}
	within, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	far := tls.Client(conn, config)
	if err := far.HandshakeContext(within); err != nil {
		return err
	}
	// A server of TLS 1.3 refuses a client's certificate only after its handshake:
	// the refusal is there, if there is one, when something can be read.
	if far.ConnectionState().NegotiatedProtocol != "h2" {
		return errors.New("it speaks TLS, but not HTTP/2, which etcd's clients need")
	}
	_ = far.SetReadDeadline(time.Now().Add(refusalPatience))
	var first [1]byte
	if _, err := far.Read(first[:]); err != nil && !isTimeout(err) {
		return err
	}
	return nil
}

// refusalPatience is how long a target has to refuse a certificate.
const refusalPatience = 2 * time.Second

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
