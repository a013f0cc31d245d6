package link

import (
	"errors"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestSeverClosesEveryConnectionToTheTarget(t *testing.T) {
	r := newRoad(t)
	second, err := r.network.Listen("d", "m", r.target.addr)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := newTarget(t)
	other, err := r.network.Listen("c", "n", elsewhere.addr)
	if err != nil {
		t.Fatal(err)
	}
	a, aTarget := r.connect(t)
	b := dial(t, second)
	bTarget := r.target.next(t)
	spared := dial(t, other)
	sparedTarget := elsewhere.next(t)
	eventually(t, "all are open", func() bool {
		return r.link.Stats().Open == 1 && r.network.Link("d", "m").Stats().Open == 1
	})

	r.network.SetBackend(r.addr, "")
	r.network.Sever("m")
	for _, conn := range []net.Conn{a, aTarget, b, bTarget} {
		expectReset(t, conn)
	}
	if s := r.link.Stats(); s.Open != 0 || s.Severed != 1 || s.Refused != 0 {
		t.Errorf("stats: %+v", s)
	}
	expectRefused(t, r.addr)
	write(t, spared, "still here")
	expect(t, sparedTarget, "still here")

	dial(t, second) // its backend was not changed: severing does not refuse
	r.target.next(t)
}

func TestRemoveForgetsAParty(t *testing.T) {
	r := newRoad(t)
	dialler, target := r.connect(t)
	lift := r.link.Impose(Stall(ToTarget))

	r.network.Remove("c")
	r.network.Remove("c")
	r.network.Remove("nobody")
	expectReset(t, dialler)
	expectReset(t, target)
	if _, err := net.Dial("tcp", r.addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial: %v; want the port closed", err)
	}
	if r.network.Link("c", "m") != nil {
		t.Error("the link is still there")
	}
	lift()

	addr, err := r.network.Listen("c", "m", r.target.addr)
	if err != nil {
		t.Fatal(err)
	}
	again := dial(t, addr)
	write(t, again, "back, unharmed")
	expect(t, r.target.next(t), "back, unharmed")
}

func TestClose(t *testing.T) {
	r := newRoad(t)
	dialler, target := r.connect(t)
	lift := r.link.Impose(Stall(ToTarget))
	write(t, dialler, "held for ever")
	eventually(t, "it is held", func() bool { return r.link.Stats().Held.ToTarget > 0 })

	for range 2 {
		if err := r.network.Close(); err != nil {
			t.Error(err)
		}
	}
	expectReset(t, dialler)
	expectReset(t, target)
	if _, err := net.Dial("tcp", r.addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial: %v; want the port closed", err)
	}
	if _, err := r.network.Listen("c", "m", r.target.addr); !errors.Is(err, net.ErrClosed) {
		t.Errorf("listen: %v; want net.ErrClosed", err)
	}
	r.network.SetBackend(r.addr, "")
	r.network.Sever("m")
	lift()
	r.link.Impose(Condition{Cut: true})()
}

// Everything at once, for the race detector, and for the counters: what was
// attributed to a link was accepted, refused or unreached, and is over.
func TestEverythingAtOnce(t *testing.T) {
	n := newNetwork(t)
	server := newEcho(t)
	addr, err := n.Listen("c", "m", server)
	if err != nil {
		t.Fatal(err)
	}
	l := n.Link("c", "m")

	var diallers, harm sync.WaitGroup
	for range 8 {
		diallers.Go(func() {
			for range 30 {
				exchange(addr)
			}
		})
	}
	stop := make(chan struct{})
	for _, c := range []Condition{{Cut: true}, {StallToTarget: true}, {StallToDialler: true}, {Cut: true, StallToTarget: true}} {
		harm.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					l.Impose(c)()
					_ = l.Stats()
				}
			}
		})
	}
	harm.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				n.SetBackend(addr, "")
				n.Sever("m")
				n.SetBackend(addr, server)
			}
		}
	})
	diallers.Wait()
	close(stop)
	harm.Wait()

	eventually(t, "every connection is over", func() bool { return l.Stats().Open == 0 })
	if s := l.Stats(); s.Held.Total() != 0 || s.Accepted < s.Severed {
		t.Errorf("stats: %+v", s)
	}
	exchangeOrFail(t, addr)
}

// newEcho runs a server that sends back what it gets.
func newEcho(t testing.TB) string {
	t.Helper()
	socket, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() {
		for {
			conn, err := socket.AcceptTCP()
			if err != nil {
				return
			}
			work.Go(func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(patience))
				_, _ = conn.ReadFrom(struct{ net.Conn }{conn})
			})
		}
	})
	t.Cleanup(func() {
		_ = socket.Close()
		work.Wait()
	})
	return socket.Addr().String()
}

// exchange sends something and reads it back, as far as it gets.
func exchange(addr string) error {
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := conn.Write(make([]byte, 100<<10)); err != nil {
		return err
	}
	for read := 0; read < 100<<10; {
		n, err := conn.Read(make([]byte, 64<<10))
		if err != nil {
			return err
		}
		read += n
	}
	return nil
}

func exchangeOrFail(t *testing.T, addr string) {
	t.Helper()
	if err := exchange(addr); err != nil {
		t.Errorf("a healed link fails: %v", err)
	}
}
