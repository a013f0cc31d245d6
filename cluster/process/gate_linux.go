package process

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

// gate is through which the calls of a member pass that wait for its disk, and its
// large writes.
type gate struct {
	listener int
	// closing ends all; its reading end is readable then.
	closing, closer *os.File
	closed          chan struct{}
	group           sync.WaitGroup

	mu   sync.Mutex
	slow *slowed // nil while all pass at once
}

// throughGate starts a process whose calls pass a gate.
func throughGate(parent *offspring.Parent, c offspring.Command) (*offspring.Process, *gate, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "gate"), os.NewFile(uintptr(pair[1]), "gate")
	defer func() { _ = ours.Close() }()
	c, err = launched(c, theirs)
	if err != nil {
		return nil, nil, errors.Join(err, theirs.Close())
	}
	process, err := parent.Start(c)
	if err = errors.Join(err, theirs.Close()); err != nil {
		return nil, nil, err
	}
	// The launcher sends, or ends and with it its end of the pair.
	listener, err := receiveListener(pair[0])
	if err != nil {
		return nil, nil, errors.Join(err, process.Kill())
	}
	g, err := newGate(listener)
	if err != nil {
		return nil, nil, errors.Join(err, unix.Close(listener), process.Kill())
	}
	return process, g, nil
}

func newGate(listener int) (g *gate, err error) {
	g = &gate{listener: listener, closed: make(chan struct{})}
	if g.closing, g.closer, err = os.Pipe(); err != nil {
		return nil, err
	}
	g.group.Go(g.keep)
	return g, nil
}

// keep hears what asks until the gate is closed or its process has ended.
func (g *gate) keep() {
	for {
		ready := []unix.PollFd{{Fd: int32(g.listener), Events: unix.POLLIN}, {Fd: int32(g.closing.Fd()), Events: unix.POLLIN}}
		if _, err := unix.Poll(ready, -1); errors.Is(err, unix.EINTR) {
			continue
		}
		if ready[1].Revents != 0 || ready[0].Revents&unix.POLLIN == 0 {
			return
		}
		n, err := hear(g.listener)
		if err != nil { // it has ended, or no longer asks
			continue
		}
		g.group.Go(func() {
			g.hold(&n)
			pass(g.listener, &n)
		})
	}
}

// hold keeps a call waiting while the disk is slow.
func (g *gate) hold(n *notice) {
	g.mu.Lock()
	s := g.slow
	g.mu.Unlock()
	if s == nil || s.isLifted() || !n.waits() && !toDisk(n) {
		return
	}
	began := time.Now()
	var after <-chan time.Time
	if d := s.delay(); d >= 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		after = timer.C
	}
	s.enter(began)
	select {
	case <-after:
	case <-s.lifted:
	case <-g.closed:
	}
	s.leave(began)
}

// toDisk is false if what is written goes to a connection.
func toDisk(n *notice) bool {
	to, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", n.pid, n.args[0]))
	return err == nil && strings.HasPrefix(to, "/")
}

// close lets all calls pass, and ends the gate. Its process has ended.
func (g *gate) close() error {
	if g == nil {
		return nil
	}
	close(g.closed)
	err := g.closer.Close()
	g.group.Wait()
	return errors.Join(err, g.closing.Close(), unix.Close(g.listener))
}

// slowDown makes the disk slow, unless it is already.
func (g *gate) slowDown(delay func() time.Duration) (*slowed, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.slow != nil && !g.slow.isLifted() {
		return nil, errors.New("it is slow already")
	}
	g.slow = newSlowed(delay)
	return g.slow, nil
}
