package link

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait of these tests. It is only used up on failure.
const patience = 20 * time.Second

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("never happened: %s", what)
		}
	}
}

// target is a server whose connections the test handles itself.
type target struct {
	addr        string
	connections chan *net.TCPConn
}

func newTarget(t *testing.T) *target {
	t.Helper()
	socket, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s := &target{addr: socket.Addr().String(), connections: make(chan *net.TCPConn, 64)}
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			conn, err := socket.AcceptTCP()
			if err != nil {
				return
			}
			s.connections <- conn
		}
	})
	t.Cleanup(func() {
		_ = socket.Close()
		accepting.Wait()
		close(s.connections)
		for conn := range s.connections {
			_ = conn.Close()
		}
	})
	return s
}

// next returns the next connection that the target accepts.
func (s *target) next(t *testing.T) *net.TCPConn {
	t.Helper()
	select {
	case conn := <-s.connections:
		return own(t, conn)
	case <-time.After(patience):
		t.Fatal("no connection reached the target")
		return nil
	}
}

func dial(t *testing.T, addr string) *net.TCPConn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	return own(t, conn.(*net.TCPConn))
}

// own closes the connection when the test ends, and bounds its reads.
func own(t *testing.T, conn *net.TCPConn) *net.TCPConn {
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Fatal(err)
	}
	return conn
}

func newNetwork(t *testing.T) *Network {
	t.Helper()
	n := NewNetwork()
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Errorf("close network: %v", err)
		}
	})
	return n
}

// road is a link from "c" to "m" with a target behind it.
type road struct {
	network *Network
	link    *Link
	addr    string
	target  *target
}

func newRoad(t *testing.T) *road {
	t.Helper()
	r := &road{network: newNetwork(t), target: newTarget(t)}
	addr, err := r.network.Listen("c", "m", r.target.addr)
	if err != nil {
		t.Fatal(err)
	}
	r.addr, r.link = addr, r.network.Link("c", "m")
	return r
}

// connect opens a connection through the link.
func (r *road) connect(t *testing.T) (dialler, target *net.TCPConn) {
	t.Helper()
	before := r.link.Stats().Accepted
	dialler, target = dial(t, r.addr), r.target.next(t)
	eventually(t, "the connection is open", func() bool { return r.link.Stats().Accepted > before })
	return dialler, target
}

func write(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatalf("write %q: %v", text, err)
	}
}

func expect(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	got := make([]byte, len(text))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != text {
		t.Fatalf("read %q, %v; want %q", got, err, text)
	}
}

func expectEnd(t *testing.T, conn net.Conn) {
	t.Helper()
	if n, err := conn.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Fatalf("read %d bytes, %v; want the end of the stream", n, err)
	}
}

func expectReset(t *testing.T, conn net.Conn) {
	t.Helper()
	if n, err := conn.Read(make([]byte, 1)); n != 0 || !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("read %d bytes, %v; want a reset", n, err)
	}
}

// expectRefused dials and finds the connection reset, early or late.
func expectRefused(t *testing.T, addr string) {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, patience)
	if errors.Is(err, syscall.ECONNRESET) {
		return
	}
	if err != nil {
		t.Fatalf("dial: %v; want it accepted and reset", err)
	}
	expectReset(t, own(t, conn.(*net.TCPConn)))
}
