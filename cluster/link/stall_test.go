package link

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"testing"
)

// oriented returns the two ends of a connection as sender and receiver of d.
func oriented(t *testing.T, r *road, d Direction) (sender, receiver *net.TCPConn) {
	t.Helper()
	dialler, target := r.connect(t)
	if d == ToTarget {
		return dialler, target
	}
	return target, dialler
}

func TestStallHoldsOneDirection(t *testing.T) {
	for _, d := range []Direction{ToTarget, ToDialler} {
		t.Run(d.String(), func(t *testing.T) {
			r := newRoad(t)
			sender, receiver := oriented(t, r, d)

			lift := r.link.Impose(Stall(d))
			write(t, sender, "late")
			eventually(t, "the bytes are held", func() bool { return r.link.Stats().Held.In(d) == 4 })
			write(t, receiver, "the other way")
			expect(t, sender, "the other way")
			if s := r.link.Stats(); s.Passed.In(d) != 0 || s.Held.Total() != 4 {
				t.Errorf("stats while stalled: %+v", s)
			}

			lift()
			expect(t, receiver, "late")
			eventually(t, "nothing is held", func() bool { return r.link.Stats().Held.Total() == 0 })
			if s := r.link.Stats(); s.HeldTotal.In(d) != 4 || s.HeldTotal.Total() != 4 {
				t.Errorf("stats after: %+v", s)
			}
		})
	}
}

func TestOverlappingStalls(t *testing.T) {
	r := newRoad(t)
	dialler, target := r.connect(t)
	first := r.link.Impose(Condition{StallToTarget: true, StallToDialler: true})
	write(t, dialler, "x")
	eventually(t, "it is held", func() bool { return r.link.Stats().Held.ToTarget == 1 })
	second := r.link.Impose(Stall(ToTarget))
	if s := r.link.Stats(); s.Held.ToTarget != 1 || s.HeldTotal.ToTarget != 2 {
		t.Errorf("stats: %+v; the byte is held by both, and counts for both", s)
	}
	first()
	if s := r.link.Stats(); s.Held.ToTarget != 1 || s.Passed.ToTarget != 0 {
		t.Errorf("stats after one was lifted: %+v", s)
	}
	write(t, target, "free")
	expect(t, dialler, "free")
	second()
	expect(t, target, "x")
}

// The end of a stream and a reset are news as well: they wait like bytes.
func TestStallHoldsTheEnd(t *testing.T) {
	r := newRoad(t)
	dialler, target := r.connect(t)
	lift := r.link.Impose(Stall(ToTarget))
	write(t, dialler, "last words")
	if err := dialler.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "they are held", func() bool { return r.link.Stats().Held.ToTarget > 0 })
	lift()
	expect(t, target, "last words")
	expectEnd(t, target)
	write(t, target, "understood")
	expect(t, dialler, "understood")
}

// When the receiver dies while its own direction is stalled, the sender must
// not learn of it until that is lifted, and gets what was said before first.
func TestStallHoldsTheNewsThatTheReceiverDied(t *testing.T) {
	r := newRoad(t)
	dialler, target := r.connect(t)
	lift := r.link.Impose(Stall(ToDialler))
	write(t, target, "farewell")
	eventually(t, "it is held", func() bool { return r.link.Stats().Held.ToDialler == 8 })
	if err := target.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the link finds the target gone", func() bool {
		_, _ = io.WriteString(dialler, "hello?")
		return broken(r.link)
	})
	if s := r.link.Stats(); s.Open != 1 {
		t.Errorf("stats while stalled: %+v; the connection must look open", s)
	}
	lift()
	expect(t, dialler, "farewell")
	eventually(t, "the connection is over", func() bool { return r.link.Stats().Open == 0 })
}

// broken tells whether one side of the link's connection is known to be gone.
func broken(l *Link) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.connections {
		if c.broken {
			return true
		}
	}
	return false
}

// While a sender never pauses, each stall must stop the flow at once, and the
// receiver must see every byte in order in the end.
func TestStallIsExactAndLosesNothing(t *testing.T) {
	const stalls, words = 100, 1 << 20
	for _, d := range []Direction{ToTarget, ToDialler} {
		t.Run(d.String(), func(t *testing.T) {
			r := newRoad(t)
			sender, receiver := oriented(t, r, d)
			sent := make(chan error, 1)
			go func() { sent <- sendCount(sender, words) }()
			received := make(chan error, 1)
			go func() { received <- receiveCount(receiver, words) }()

			for i := range stalls {
				lift := r.link.Impose(Stall(d))
				before := r.link.Stats()
				eventually(t, "bytes are held, or there are no more", func() bool {
					s := r.link.Stats()
					return s.Held.In(d) > 0 || s.Open == 0 || s.Passed.In(d) == 8*words
				})
				if after := r.link.Stats(); after.Passed != before.Passed {
					t.Fatalf("stall %d: %+v passed after Impose had returned at %+v", i, after.Passed, before.Passed)
				}
				lift()
				eventually(t, "bytes flow again, or there are no more", func() bool {
					s := r.link.Stats()
					return s.Passed.In(d) > before.Passed.In(d) || s.Passed.In(d) == 8*words
				})
			}
			if err := <-sent; err != nil {
				t.Error(err)
			}
			if err := <-received; err != nil {
				t.Error(err)
			}
		})
	}
}

// A stall must not wait for a receiver that does not read.
func TestStallInterruptsABlockedWrite(t *testing.T) {
	const words = 4 << 20 // more than the sockets' buffers hold
	r := newRoad(t)
	dialler, target := r.connect(t)
	sent := make(chan error, 1)
	go func() { sent <- sendCount(dialler, words) }()
	eventually(t, "the link is blocked in a write", func() bool {
		before := r.link.Stats().Passed
		return before.Total() > 0 && writing(r.link) && before == r.link.Stats().Passed
	})
	for range 3 {
		lift := r.link.Impose(Stall(ToTarget))
		eventually(t, "what was not written is held", func() bool { return r.link.Stats().Held.ToTarget > 0 })
		lift()
	}
	if err := receiveCount(target, words); err != nil {
		t.Error(err)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
}

func writing(l *Link) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.writers[ToTarget] > 0
}

// sendCount sends the numbers from 0 and then finishes.
func sendCount(conn *net.TCPConn, words int) error {
	var chunk bytes.Buffer
	for i := range words {
		_ = binary.Write(&chunk, binary.BigEndian, uint64(i))
		if chunk.Len() >= 64<<10 || i == words-1 {
			if _, err := chunk.WriteTo(conn); err != nil {
				return err
			}
		}
	}
	return conn.CloseWrite()
}

// receiveCount expects exactly what sendCount sends.
func receiveCount(conn net.Conn, words int) error {
	all, err := io.ReadAll(conn)
	if err != nil {
		return err
	}
	if len(all) != 8*words {
		return fmt.Errorf("received %d bytes of %d", len(all), 8*words)
	}
	for i := range words {
		if got := binary.BigEndian.Uint64(all[8*i:]); got != uint64(i) {
			return fmt.Errorf("word %d is %d", i, got)
		}
	}
	return nil
}
