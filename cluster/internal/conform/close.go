package conform

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/etcd/client/v3/concurrency"
	"go.uber.org/goleak"

	"github.com/etcd-holdfast/holdfast/cluster/link"
	"github.com/etcd-holdfast/holdfast/cluster/members"
)

// Close must not wait for clients: here some have streams open, some wait for
// a lock, and some are held back by a stall.
func testCloseLeavesNothing(t *testing.T, b Backend) {
	before := goleak.IgnoreCurrent()
	c, err := b.Start(Bounded(t), members.Config{})
	if err != nil {
		t.Fatal(err)
	}
	client := Connect(t, c, "c1")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	watch := client.Watch(ctx, "key")
	session, err := concurrency.NewSession(client)
	if err != nil {
		t.Fatal(err)
	}
	if err := concurrency.NewMutex(session, "lock").Lock(Bounded(t)); err != nil {
		t.Fatal(err)
	}
	rival, err := concurrency.NewSession(Connect(t, c, "c2"))
	if err != nil {
		t.Fatal(err)
	}
	waiting := make(chan error, 1)
	go func() { waiting <- concurrency.NewMutex(rival, "lock").Lock(ctx) }()
	put(t, client, "key", "watched")
	if event := <-watch; event.Err() != nil || len(event.Events) != 1 {
		t.Fatalf("watched: %+v", event)
	}
	c.Link("c2", "m1").Impose(link.Stall(link.ToTarget))
	c.Link("m1", "m2").Impose(link.Stall(link.ToDialler))
	ports := portsOf(t, c, "c1", "c2")
	directory := c.Directory()

	for range 2 {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	for _, port := range ports {
		if conn, err := net.Dial("tcp", port); err == nil {
			_ = conn.Close()
			t.Errorf("%s still accepts connections", port)
		}
	}
	if _, err := os.Stat(directory); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory is left: %v", err)
	}
	for _, s := range c.Status() {
		if s.Running {
			t.Errorf("status after close: %+v", s)
		}
	}

	cancel()
	session.Orphan()
	rival.Orphan()
	// Closed before the wait for Lock: when its context ends, Lock deletes its
	// key with the client's own context, and tries for as long as that lives.
	for _, s := range []*concurrency.Session{session, rival} {
		_ = s.Client().Close()
	}
	if err := <-waiting; err == nil {
		t.Error("the rival got the lock")
	}
	goleak.VerifyNone(t, before)
}

// portsOf lists every port that the cluster listens on, links' and servers'.
func portsOf(t *testing.T, c Cluster, parties ...string) []string {
	t.Helper()
	var ports []string
	for _, party := range parties {
		urls, err := c.Connect(party)
		if err != nil {
			t.Fatal(err)
		}
		for _, url := range urls {
			ports = append(ports, strings.TrimPrefix(url, "http://"))
		}
	}
	for _, p := range c.Places() {
		peers, clients, err := c.AddressesOf(p.Name)
		if err != nil {
			t.Fatal(err)
		}
		if ports = append(ports, clients); peers != "" {
			ports = append(ports, p.PeerAddress, peers)
		}
	}
	return ports
}

// A directory that was there before stays, without what was put there.
func testCloseEmptiesAGivenDirectory(t *testing.T, b Backend) {
	directory := t.TempDir()
	c := start(t, b, members.Config{Members: 1, Directory: directory})
	if entries, err := os.ReadDir(filepath.Join(directory, "m1")); err != nil || len(entries) == 0 {
		t.Errorf("the data of m1: %v, %v", entries, err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(directory); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func testNothingWorksOnAClosedCluster(t *testing.T, b Backend) {
	c := start(t, b, members.Config{Members: 1})
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Connect("c1"); !errors.Is(err, members.ErrClosed) {
		t.Errorf("connect: %v", err)
	}
	if err := c.Restart(Bounded(t), "m1"); !errors.Is(err, members.ErrClosed) {
		t.Errorf("restart: %v", err)
	}
	if err := c.Crash(Bounded(t), "m1"); err != nil {
		t.Errorf("crash: %v", err)
	}
	c.Disconnect("c1")
}

func testCloseWhileOthersStillUseTheCluster(t *testing.T, b Backend) {
	c := start(t, b, members.Config{})
	client := Connect(t, c, "c1")
	ctx, cancel := context.WithCancel(context.Background())
	var writes, lives atomic.Int64
	var users sync.WaitGroup
	users.Go(func() {
		for ctx.Err() == nil {
			// A proposal that was on its way to a leader that crashed is lost:
			// etcd would wait seconds for it.
			soon, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
			if _, err := client.Put(soon, "key", "value"); err == nil {
				writes.Add(1)
			}
			cancel()
		}
	})
	users.Go(func() {
		for {
			if err := c.Crash(ctx, "m1"); err != nil {
				t.Error(err)
			}
			if c.Restart(ctx, "m1") != nil { // closed
				return
			}
			lives.Add(1)
		}
	})
	Eventually(t, "both get on", func() bool { return writes.Load() > 10 && lives.Load() > 2 })
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	cancel()
	users.Wait()
}
