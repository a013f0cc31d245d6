package netguard_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/etcd-holdfast/holdfast/internal/netguard"
	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

// patience is how long anything may take that has to happen.
const patience = 10 * time.Second

// namespace is a network namespace, kept by a thread that is in it.
type namespace struct {
	do   chan func()
	path string
}

// needNamespaces skips a test where there can be none, unless nothing may be skipped.
func needNamespaces(t *testing.T) {
	t.Helper()
	switch {
	case os.Getuid() == 0:
	case os.Getenv("HOLDFAST_REQUIRE") == "1":
		t.Fatal("network namespaces need root, and HOLDFAST_REQUIRE=1 says that they may not be missing")
	default:
		t.Skip("network namespaces need root")
	}
}

func newNamespace(t *testing.T) *namespace {
	t.Helper()
	n := &namespace{do: make(chan func())}
	ready := make(chan error)
	var group sync.WaitGroup
	group.Go(func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		err := unix.Unshare(unix.CLONE_NEWNET)
		n.path = fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid())
		ready <- err
		for f := range n.do {
			f()
		}
	})
	t.Cleanup(func() { close(n.do); group.Wait() })
	if err := <-ready; err != nil {
		t.Fatal(err)
	}
	return n
}

// in does something in the namespace.
func (n *namespace) in(t *testing.T, f func() error) {
	t.Helper()
	done := make(chan error)
	n.do <- func() { done <- f() }
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// pair is two members, m1 and m2, each in a namespace of its own. A stranger is
// where m1 is, and has another address.
type pair struct {
	m1, m2, stranger netip.Addr
	one, two         *namespace
	network          *netguard.Network
	// guard starts a guard of m2; the last one is at hand.
	guard *process
	// refuse, if set, is why none can be started.
	refuse error
}

func newPair(t *testing.T) *pair {
	t.Helper()
	needNamespaces(t)
	p := &pair{
		m1: netip.MustParseAddr("10.77.0.1"), m2: netip.MustParseAddr("10.77.0.2"), stranger: netip.MustParseAddr("10.77.0.3"),
		one: newNamespace(t), two: newNamespace(t), network: netguard.NewNetwork(port),
	}
	other, err := os.Open(p.two.path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	p.one.in(t, func() error {
		return netlink.LinkAdd(&netlink.Veth{
			LinkAttrs: netlink.LinkAttrs{Name: "member"}, PeerName: "member", PeerNamespace: netlink.NsFd(int(other.Fd())),
		})
	})
	p.one.in(t, func() error { return plug(p.m1, p.stranger) })
	p.two.in(t, func() error { return plug(p.m2) })
	t.Cleanup(func() {
		if err := p.network.Close(context.Background()); err != nil {
			t.Error(err)
		}
		for _, n := range []*namespace{p.one, p.two} {
			n.in(t, nothingLeft)
		}
	})
	p.add(t, "m1", p.m1, p.one)
	p.add(t, "m2", p.m2, p.two)
	return p
}

// plug gives the interface in this namespace addresses.
func plug(addresses ...netip.Addr) error {
	for _, name := range []string{"lo", "member"} {
		l, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		if err := netlink.LinkSetUp(l); err != nil {
			return err
		}
		if name == "lo" {
			continue
		}
		for _, a := range addresses {
			if err := netlink.AddrAdd(l, &netlink.Addr{IPNet: &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(24, 32)}}); err != nil {
				return err
			}
		}
	}
	return nil
}

// nothingLeft is an error if there are tables in this namespace.
func nothingLeft() error {
	c, err := nftables.New()
	if err != nil {
		return err
	}
	tables, err := c.ListTables()
	if err != nil {
		return err
	}
	for _, table := range tables {
		err = errors.Join(err, fmt.Errorf("table %s is left", table.Name))
	}
	return err
}

func (p *pair) add(t *testing.T, member string, address netip.Addr, where *namespace) {
	t.Helper()
	dial := func(context.Context) (io.ReadWriteCloser, error) {
		if p.refuse != nil {
			return nil, p.refuse
		}
		var guard *process
		where.in(t, func() (err error) { guard, err = startGuard(); return err })
		p.guard = guard
		return guard, nil
	}
	if err := p.network.Add(t.Context(), member, address, dial); err != nil {
		t.Fatal(err)
	}
}

// process is a guard.
type process struct {
	io.Reader
	in  io.WriteCloser
	cmd *exec.Cmd
}

// startGuard starts one in the namespace of the calling thread.
func startGuard() (*process, error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = offspring.As(netguard.Role)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &process{Reader: out, in: in, cmd: cmd}, cmd.Start()
}

func (p *process) Write(b []byte) (int, error) { return p.in.Write(b) }

func (p *process) Close() error {
	err := p.in.Close()
	stuck := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	_ = p.cmd.Wait() // it may have been killed
	if !stuck.Stop() {
		err = errors.Join(err, errors.New("the guard does not end when its stream does"))
	}
	return err
}

// server is what listens at m2.
type server struct {
	listener net.Listener
	accepted chan net.Conn
}

func (p *pair) listen(t *testing.T) *server {
	t.Helper()
	s := &server{accepted: make(chan net.Conn, 16)}
	p.two.in(t, func() (err error) {
		s.listener, err = net.Listen("tcp", fmt.Sprintf(":%d", port)) // as etcd does: also of IPv6
		return err
	})
	var group sync.WaitGroup
	group.Go(func() {
		for {
			conn, err := s.listener.Accept()
			if err != nil {
				return
			}
			s.accepted <- conn
		}
	})
	t.Cleanup(func() { s.listener.Close(); group.Wait() })
	return s
}

// dial dials m2 from an address where m1 is.
func (p *pair) dial(t *testing.T, from netip.Addr) (conn net.Conn, err error) {
	t.Helper()
	dialler := net.Dialer{Timeout: patience, LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))}
	p.one.in(t, func() error {
		conn, err = dialler.Dial("tcp", netip.AddrPortFrom(p.m2, port).String())
		return nil
	})
	return conn, err
}

// connect returns both ends of a new connection.
func (p *pair) connect(t *testing.T, s *server, from netip.Addr) (dialler, target net.Conn) {
	t.Helper()
	dialler, err := p.dial(t, from)
	if err != nil {
		t.Fatal(err)
	}
	target = <-s.accepted
	t.Cleanup(func() { dialler.Close(); target.Close() })
	return dialler, target
}

// eventually waits for something that has to happen.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !is() {
		select {
		case <-look.C:
		case <-deadline.C:
			t.Fatalf("it never happened: %s", what)
		}
	}
}
