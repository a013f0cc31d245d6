package embedded

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
	"go.uber.org/goleak"

	"github.com/etcd-holdfast/holdfast/cluster/link"
)

// Close must not wait for clients: here some have streams open, some wait for
// a lock, and some are held back by a stall.
func TestCloseLeavesNothing(t *testing.T) {
	before := goleak.IgnoreCurrent()
	c, err := Start(bounded(t), Config{})
	if err != nil {
		t.Fatal(err)
	}
	client := connect(t, c, "c1")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	watch := client.Watch(ctx, "key")
	session, err := concurrency.NewSession(client)
	if err != nil {
		t.Fatal(err)
	}
	if err := concurrency.NewMutex(session, "lock").Lock(bounded(t)); err != nil {
		t.Fatal(err)
	}
	rival, err := concurrency.NewSession(connect(t, c, "c2"))
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
	ports := portsOf(c)
	directory := c.workspace.root

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
	if err := <-waiting; err == nil {
		t.Error("the rival got the lock")
	}
	session.Orphan()
	rival.Orphan()
	for _, s := range []*concurrency.Session{session, rival} {
		_ = s.Client().Close()
	}
	goleak.VerifyNone(t, before)
}

// portsOf lists every port that the cluster listens on, links' and servers'.
func portsOf(c *Cluster) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var ports []string
	for _, addresses := range c.parties {
		ports = append(ports, addresses...)
	}
	for _, m := range c.members {
		ports = append(ports, m.peerAddress,
			m.life.etcd.Peers[0].Addr().String(),
			m.life.etcd.Clients[0].Addr().String())
	}
	return ports
}

func TestNothingWorksOnAClosedCluster(t *testing.T) {
	c := start(t, Config{Members: 1})
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Connect("c1"); !errors.Is(err, errClosed) {
		t.Errorf("connect: %v", err)
	}
	if err := c.Restart(bounded(t), "m1"); !errors.Is(err, errClosed) {
		t.Errorf("restart: %v", err)
	}
	if err := c.Crash(bounded(t), "m1"); err != nil {
		t.Errorf("crash: %v", err)
	}
	c.Disconnect("c1")
}

func TestCloseWhileOthersStillUseTheCluster(t *testing.T) {
	c := start(t, Config{})
	client := connect(t, c, "c1")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			if _, err := client.Put(context.Background(), "key", "value"); err != nil {
				return
			}
			if _, err := client.Get(context.Background(), "key", clientv3.WithSerializable()); err != nil {
				return
			}
		}
	}()
	crashes := make(chan struct{})
	go func() {
		defer close(crashes)
		for {
			if err := c.Crash(context.Background(), "m1"); err != nil {
				t.Error(err)
			}
			if err := c.Restart(context.Background(), "m1"); err != nil {
				if !strings.Contains(err.Error(), "closed") && !strings.Contains(err.Error(), "stopped") {
					t.Error(err)
				}
				return
			}
		}
	}()
	eventually(t, "the client has written", func() bool { return c.Link("c1", "m2").Stats().Passed.ToDialler > 1000 })
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	<-crashes
	_ = client.Close()
	<-done
}
