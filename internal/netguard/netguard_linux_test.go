package netguard_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/cluster/link"
	"github.com/etcd-holdfast/holdfast/internal/netguard"
)

// passes sends a message, which has to arrive.
func passes(t *testing.T, from, to net.Conn) {
	t.Helper()
	message := []byte("a message")
	_ = from.SetWriteDeadline(time.Now().Add(patience))
	if _, err := from.Write(message); err != nil {
		t.Fatal(err)
	}
	expect(t, to, message)
}

func expect(t *testing.T, conn net.Conn, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	if n, err := io.ReadFull(conn, got); err != nil {
		t.Fatalf("after %d of %d bytes: %v", n, len(want), err)
	}
	if !bytes.Equal(got, want) {
		t.Fatal("other bytes have arrived than were sent")
	}
}

// nothingComes looks for a moment whether something arrives.
func nothingComes(t *testing.T, conn net.Conn) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	if n, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d bytes have arrived, %v", n, err)
	}
	_ = conn.SetReadDeadline(time.Time{})
}

func expectReset(t *testing.T, who string, conn net.Conn) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	_, err := conn.Read(make([]byte, 1))
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, io.EOF) {
		t.Errorf("%s: %v", who, err)
	}
}

// A cut resets connections on both sides though nothing is said on them, and
// refuses new ones. Who dials from elsewhere notices nothing.
func TestCut(t *testing.T) {
	p := newPair(t)
	s := p.listen(t)
	dialler, target := p.connect(t, s, p.m1)
	passes(t, dialler, target)
	strange, stranger := p.connect(t, s, p.stranger)
	var l cluster.Link = p.network.Link("m1", "m2")
	if open := l.Stats().Open; open != 1 {
		t.Errorf("%d connections are open", open)
	}

	lift := l.Impose(link.Condition{Cut: true})
	expectReset(t, "dialler", dialler)
	expectReset(t, "target", target)
	if _, err := p.dial(t, p.m1); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a new connection: %v", err)
	}
	passes(t, strange, stranger)
	if stats := l.Stats(); stats.Severed != 1 || stats.Refused == 0 || stats.Open != 0 || stats.From != "m1" || stats.To != "m2" {
		t.Errorf("%+v", stats)
	}

	lift()
	lift() // does nothing
	dialler, target = p.connect(t, s, p.m1)
	passes(t, dialler, target)
	passes(t, target, dialler)
	if back := p.network.Link("m2", "m1").Stats(); back.Severed+back.Refused+back.Rejected.Total() != 0 {
		t.Errorf("the other link: %+v", back)
	}
}

// A stall keeps back what one side says, while the other is heard for as long as
// it likes, and delivers all of it in the end.
func TestStall(t *testing.T) {
	for _, direction := range []link.Direction{link.ToTarget, link.ToDialler} {
		t.Run(direction.String(), func(t *testing.T) {
			p := newPair(t)
			s := p.listen(t)
			// As members do, each side speaks on a connection of its own.
			muted, hears := p.connect(t, s, p.m1)
			listens, free := p.connect(t, s, p.m1)
			if direction == link.ToDialler {
				muted, hears, listens, free = hears, muted, free, listens
			}
			passes(t, muted, hears)
			passes(t, free, listens)
			l := p.network.Link("m1", "m2")
			lift := l.Impose(link.Stall(direction))

			kept := bytes.Repeat([]byte("kept back "), 10_000)
			if _, err := muted.Write(kept[:10]); err != nil {
				t.Fatal(err)
			}
			dropped := func() int64 {
				if direction == link.ToTarget {
					return l.Stats().Dropped.ToTarget
				}
				return l.Stats().Dropped.ToDialler
			}
			eventually(t, "packets are dropped", func() bool { return dropped() > 0 })
			written := make(chan error, 1)
			go func() { // it is more than a socket holds
				_, err := muted.Write(kept[10:])
				written <- err
			}()
			// More than can be under way without an acknowledgement.
			for range 1000 {
				passes(t, free, listens)
			}
			nothingComes(t, hears)

			lift()
			expect(t, hears, kept)
			if err := <-written; err != nil {
				t.Error(err)
			}
			if stats := l.Stats(); stats.Dropped.Total() != dropped() || stats.Severed != 0 {
				t.Errorf("%+v", stats)
			}
		})
	}
}

// While either direction is stalled no connection can be opened, and none ends.
func TestStalledConnections(t *testing.T) {
	p := newPair(t)
	s := p.listen(t)
	dialler, target := p.connect(t, s, p.m1)
	lift := p.network.Link("m1", "m2").Impose(link.Condition{StallToTarget: true, StallToDialler: true})
	if err := dialler.Close(); err != nil {
		t.Fatal(err)
	}
	nothingComes(t, target)
	lift()
	_ = target.SetReadDeadline(time.Now().Add(patience))
	if _, err := target.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
}

// A link is cut as long as anybody asks for it.
func TestConditionsAddUp(t *testing.T) {
	p := newPair(t)
	p.listen(t)
	l := p.network.Link("m1", "m2")
	one := l.Impose(link.Condition{Cut: true, StallToTarget: true})
	two := l.Impose(link.Condition{Cut: true})
	one()
	if _, err := p.dial(t, p.m1); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("cut by one: %v", err)
	}
	two()
	conn, err := p.dial(t, p.m1)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

// Packets get lost, and no byte does.
func TestLosePackets(t *testing.T) {
	p := newPair(t)
	s := p.listen(t)
	dialler, target := p.connect(t, s, p.m1)
	harm, err := p.network.LosePackets(t.Context(), "m2", 0.1)
	if err != nil {
		t.Fatal(err)
	}
	for range 40 {
		passes(t, dialler, target)
		passes(t, target, dialler)
	}
	seen, evidence := harm.Evidence(t.Context())
	if !seen {
		t.Error(evidence)
	}
	if err := harm.Undo(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, before := harm.Evidence(t.Context())
	passes(t, dialler, target)
	if _, after := harm.Evidence(t.Context()); after != before || strings.HasPrefix(after, "0 of") {
		t.Errorf("%s, and after it was undone %s", before, after)
	}
	if _, err := p.network.LosePackets(t.Context(), "m9", 0.1); err == nil || !strings.Contains(err.Error(), "no such member") {
		t.Errorf("packets of nobody: %v", err)
	}
	for _, share := range []float64{0, -1, 1.1} {
		if _, err := p.network.LosePackets(t.Context(), "m2", share); err == nil {
			t.Errorf("a share of %v is lost", share)
		}
	}
}

// Packets are delayed where the kernel can, and else it is said why not.
func TestDelayPackets(t *testing.T) {
	p := newPair(t)
	s := p.listen(t)
	dialler, target := p.connect(t, s, p.m1)
	harm, err := p.network.DelayPackets(t.Context(), "m2", 100*time.Millisecond, 0)
	if here, there := netguard.NoDelayHere(), p.network.NoDelay(); (here == nil) != (there == nil) {
		t.Errorf("this process says %v, a guard %v", here, there)
	}
	if why := p.network.NoDelay(); why != nil {
		if !strings.Contains(why.Error(), "CONFIG_NET_SCH_NETEM") || err == nil || !strings.Contains(err.Error(), why.Error()) {
			t.Errorf("%v; %v", why, err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	passes(t, dialler, target)
	passes(t, target, dialler)
	if took := time.Since(began); took < 100*time.Millisecond {
		t.Errorf("there and back took %v", took)
	}
	if seen, evidence := harm.Evidence(t.Context()); !seen {
		t.Error(evidence)
	}
	if err := harm.Undo(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A guard that is killed leaves its rules until the next one has come, which
// heals what the first had done. Without one that is told.
func TestGuardIsKilled(t *testing.T) {
	p := newPair(t)
	s := p.listen(t)
	l := p.network.Link("m1", "m2")
	_, target := p.connect(t, s, p.m1)
	lift := l.Impose(link.Condition{Cut: true})
	expectReset(t, "target", target)

	kill := func() {
		if err := p.guard.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	kill()
	if _, err := p.dial(t, p.m1); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("without a guard: %v", err)
	}
	p.refuse = errors.New("the pod has gone")
	lift()
	if err := l.Settle(t.Context()); err == nil || !strings.Contains(err.Error(), "guard of m2: start it: the pod has gone") {
		t.Errorf("without another: %v", err)
	}
	p.refuse = nil
	if err := l.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	dialler, target := p.connect(t, s, p.m1)
	passes(t, dialler, target)
	if stats := l.Stats(); stats.Severed != 1 {
		t.Errorf("%+v", stats)
	}

	// It is noticed by the next call, also if it is one that harms.
	kill()
	defer l.Impose(link.Condition{Cut: true})()
	expectReset(t, "dialler", dialler)
	if err := l.Settle(context.Background()); err != nil {
		t.Error(err)
	}
}
