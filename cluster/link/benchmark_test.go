package link

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"testing"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"golang.org/x/net/http2"
)

// BenchmarkThroughput measures one connection's stream through a link.
func BenchmarkThroughput(b *testing.B) {
	addr, sink := newSink(b)
	through(b, addr, func(conn net.Conn) {
		chunk := make([]byte, 64<<10)
		b.SetBytes(int64(len(chunk)))
		for b.Loop() {
			if _, err := conn.Write(chunk); err != nil {
				b.Fatal(err)
			}
		}
	})
	<-sink
}

// BenchmarkRoundTrip measures what a link adds to a small request's latency,
// beside the same request without one.
func BenchmarkRoundTrip(b *testing.B) {
	roundTrips := func(b *testing.B, conn net.Conn) {
		message := make([]byte, 128)
		for b.Loop() {
			if _, err := conn.Write(message); err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadFull(conn, message); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("direct", func(b *testing.B) {
		conn, err := net.Dial("tcp", newEcho(b))
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close()
		roundTrips(b, conn)
	})
	b.Run("link", func(b *testing.B) {
		through(b, newEcho(b), func(conn net.Conn) { roundTrips(b, conn) })
	})
}

// BenchmarkCall measures a gRPC call through a link: as every client's is,
// unfollowed as if it were a peer's, and with a tap.
func BenchmarkCall(b *testing.B) {
	run := func(b *testing.B, prepare func(*calling)) {
		c := newCalling(b)
		prepare(c)
		request := &etcdserverpb.TxnRequest{}
		for b.Loop() {
			if _, err := c.kv.Txn(context.Background(), request); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("followed", func(b *testing.B) { run(b, func(*calling) {}) })
	b.Run("unfollowed", func(b *testing.B) {
		run(b, func(c *calling) {
			if err := c.txn(context.Background()); err != nil {
				b.Fatal(err)
			}
			c.link.mu.Lock()
			defer c.link.mu.Unlock()
			for open := range c.link.connections {
				open.dialogue.mu.Lock()
				open.dialogue.blind = true
				open.dialogue.mu.Unlock()
			}
		})
	})
	b.Run("tapped", func(b *testing.B) { run(b, func(c *calling) { c.link.Tap(func(Message) {}) }) })
}

// BenchmarkFollow measures what following the request of one call takes.
func BenchmarkFollow(b *testing.B) {
	s := newSpeaker(rand.New(rand.NewPCG(1, 1)))
	c := newCounted()
	c.follow(ToTarget, []byte(http2.ClientPreface))
	id := uint32(1)
	for b.Loop() {
		s.Reset()
		s.open(id, "/etcdserverpb.KV/Txn")
		_ = s.framer.WriteData(id, true, prefixed(make([]byte, 100), false))
		c.follow(ToTarget, s.Bytes())
		delete(c.streams, id)
		id += 2
	}
}

// through runs f with a connection to addr that passes a link.
func through(b *testing.B, addr string, f func(net.Conn)) {
	b.Helper()
	n := NewNetwork()
	defer n.Close()
	front, err := n.Listen("c", "m", addr)
	if err != nil {
		b.Fatal(err)
	}
	conn, err := net.Dial("tcp", front)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	f(conn)
}

// newSink runs a server that swallows one connection.
func newSink(b *testing.B) (addr string, ended <-chan struct{}) {
	b.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer socket.Close()
		conn, err := socket.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.Copy(io.Discard, conn)
	}()
	return socket.Addr().String(), done
}
