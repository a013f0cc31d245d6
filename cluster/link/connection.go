package link

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
)

// bufferSize is how much a connection reads ahead in each direction.
const bufferSize = 32 << 10

// connection joins a connection of the dialler with one to the target.
type connection struct {
	link       *Link
	dialler    *net.TCPConn
	cancelDial context.CancelFunc
	dialogue   *dialogue // nil on the links of peers

	// Guarded by link.mu.
	target *net.TCPConn // nil until it is reached
	held   Bytes        // read from the sender, waiting for a stall to end
	closed bool
	broken bool // one side was reset: the other has to be told so
}

// serve relays between the dialler and the target, which it reaches with dial,
// until both have finished. The bytes in first were read from the dialler
// already. If follow is true, the messages of a client are recognised.
func (l *Link) serve(ctx context.Context, dialler *net.TCPConn, first []byte, dial func(context.Context) (*net.TCPConn, error), follow bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := &connection{link: l, dialler: dialler, cancelDial: cancel}
	if follow {
		c.dialogue = newDialogue(&l.requests, &l.keepAlives, &l.blind)
	}
	if !l.admit(c) {
		reset(dialler)
		return
	}
	target, err := dial(ctx)
	if err != nil {
		l.unreached(c)
		return
	}
	if !c.join(target) {
		reset(target)
		return
	}
	answers := make(chan struct{})
	go func() {
		defer close(answers)
		c.pump(ToDialler, nil)
	}()
	c.pump(ToTarget, first)
	<-answers
	c.leave()
}

// join makes the connection an open one, unless it was closed meanwhile.
func (c *connection) join(target *net.TCPConn) bool {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	if c.closed {
		return false
	}
	c.target = target
	c.link.stats.Accepted++
	return true
}

// leave closes a connection on which both sides have finished.
func (c *connection) leave() {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	if c.closed {
		return
	}
	if c.broken {
		c.link.reset(c)
		return
	}
	c.closed = true
	delete(c.link.connections, c)
	_ = c.dialler.Close()
	_ = c.target.Close()
}

// receiver is who gets the bytes that travel in direction d.
func (c *connection) receiver(d Direction) *net.TCPConn {
	if d == ToTarget {
		return c.target
	}
	return c.dialler
}

// sender is who they come from.
func (c *connection) sender(d Direction) *net.TCPConn {
	if d == ToTarget {
		return c.dialler
	}
	return c.target
}

// pump passes on what the sender sends, including its end or its reset, which
// wait behind a stall like any byte.
func (c *connection) pump(d Direction, first []byte) {
	if !c.deliver(d, first) {
		return
	}
	buffer := make([]byte, bufferSize)
	for {
		n, err := c.sender(d).Read(buffer)
		if !c.pass(d, buffer[:n]) {
			return
		}
		if err != nil {
			c.deliverEnd(d, err)
			return
		}
	}
}

// deliver hands bytes to the receiver. It returns false when there is no use
// in going on.
func (c *connection) deliver(d Direction, bytes []byte) bool {
	for len(bytes) > 0 {
		if !c.link.enter(c, d, int64(len(bytes))) {
			return false
		}
		n, err := c.receiver(d).Write(bytes)
		c.link.exit(d, int64(n))
		bytes = bytes[n:]
		// A stall interrupts a write by its deadline: what is left waits.
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			c.abandon(d)
			return false
		}
	}
	return true
}

// abandon ends one direction because its receiver is gone. The sender learns
// it from the other direction, after what the receiver had sent before and
// not while that direction is stalled.
func (c *connection) abandon(d Direction) {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	c.broken = true
	_ = c.receiver(d).CloseRead() // the other pump reads what is there, then ends
}

// deliverEnd carries over that the sender has finished, or was reset.
func (c *connection) deliverEnd(d Direction, err error) {
	if !c.link.enter(c, d, 0) {
		return
	}
	defer c.link.exit(d, 0)
	if errors.Is(err, io.EOF) {
		_ = c.receiver(d).CloseWrite() // fails only if the receiver is gone, which the other pump sees
		return
	}
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	c.link.reset(c)
}

// reset closes a connection with RST: the other side's pending reads and
// writes fail at once, and nothing that waits in a buffer is delivered.
func reset(conn *net.TCPConn) {
	_ = conn.SetLinger(0) // fails only if closed
	_ = conn.Close()
}
