package conform

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/cluster/members"
)

func testCrashOfTheLeader(t *testing.T, b Backend) {
	c := start(t, b, members.Config{})
	crashed := agreedLeader(t, c, c.Members()...)
	put(t, Connect(t, c, "c1", crashed), "acknowledged", "by the leader")

	if err := c.Crash(Bounded(t), crashed); err != nil {
		t.Fatal(err)
	}
	if err := c.Crash(Bounded(t), crashed); err != nil {
		t.Errorf("crashed again: %v", err)
	}
	if s := Status(c, crashed); s.Running || s.Leads || s.Leader != "" {
		t.Errorf("status of the crashed member: %+v", s)
	}
	rest := others(c, crashed)
	if leader := agreedLeader(t, c, rest...); leader == crashed {
		t.Fatalf("%s still leads", leader)
	}
	survivors := Connect(t, c, "c2", rest...)
	expectValue(t, survivors, "acknowledged", "by the leader")
	put(t, survivors, "missed", "by the crashed one")

	if err := c.Restart(Bounded(t), crashed); err != nil {
		t.Fatal(err)
	}
	if err := c.Restart(Bounded(t), crashed); err != nil {
		t.Errorf("restarted again: %v", err)
	}
	returned := Connect(t, c, "c3", crashed)
	expectValue(t, returned, "missed", "by the crashed one")
	// What it has caught up with it has itself.
	expectValue(t, returned, "missed", "by the crashed one", clientv3.WithSerializable())
	expectValue(t, returned, "acknowledged", "by the leader", clientv3.WithSerializable())
	agreedLeader(t, c, c.Members()...)
}

// A client's links survive a crash of the member behind them.
func testClientsFindARestartedMember(t *testing.T, b Backend) {
	c := start(t, b, members.Config{Members: 1})
	client := Connect(t, c, "c1")
	put(t, client, "key", "before")
	if err := c.Crash(Bounded(t), "m1"); err != nil {
		t.Fatal(err)
	}
	late := Connect(t, c, "c2") // connects while the member is down
	if err := c.Restart(Bounded(t), "m1"); err != nil {
		t.Fatal(err)
	}
	expectValue(t, client, "key", "before")
	expectValue(t, late, "key", "before")
}

func testAllMembersCrashAndReturn(t *testing.T, b Backend) {
	c := start(t, b, members.Config{})
	put(t, Connect(t, c, "c1"), "key", "survives")
	each := func(do func(context.Context, string) error) {
		var all sync.WaitGroup
		for _, m := range c.Members() {
			all.Go(func() {
				if err := do(Bounded(t), m); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	each(c.Crash)
	each(c.Restart)
	expectValue(t, Connect(t, c, "c2"), "key", "survives")
}

// Without a quorum nothing serves: Restart gives up with its context, and the
// member still serves when the quorum is back.
func testRestartWithoutAQuorum(t *testing.T, b Backend) {
	c := start(t, b, members.Config{})
	put(t, Connect(t, c, "c1"), "key", "survives")
	for _, m := range c.Members() {
		if err := c.Crash(Bounded(t), m); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	failed := make(chan error, 1)
	go func() { failed <- c.Restart(ctx, "m1") }()
	Eventually(t, "the member runs", func() bool { return Status(c, "m1").Running })
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("restart without a quorum: %v", err)
	}
	if err := c.Restart(Bounded(t), "m2"); err != nil {
		t.Fatal(err)
	}
	expectValue(t, Connect(t, c, "c2", "m1"), "key", "survives")
}

func testUnknownMembers(t *testing.T, b Backend) {
	c := start(t, b, members.Config{Members: 1})
	for _, err := range []error{c.Crash(Bounded(t), "m2"), c.Restart(Bounded(t), "c1")} {
		if err == nil || !strings.Contains(err.Error(), `only ["m1"]`) {
			t.Errorf("error %v", err)
		}
	}
}

// etcd exits its process when it cannot use its disk. Here only the member
// fails, and says why.
func testAMemberThatGivesUpDoesNotTakeTheProcessAlong(t *testing.T, b Backend) {
	directory := t.TempDir()
	c := start(t, b, members.Config{Members: 1, Directory: directory})
	if err := c.Crash(Bounded(t), "m1"); err != nil {
		t.Fatal(err)
	}
	snapshots := filepath.Join(directory, "m1", "member", "snap")
	if err := errors.Join(os.RemoveAll(snapshots), os.WriteFile(snapshots, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	err := c.Restart(Bounded(t), "m1")
	if err == nil || !strings.Contains(err.Error(), "etcd gave up") {
		t.Errorf("restart: %v", err)
	}
	if s := Status(c, "m1"); s.Running {
		t.Errorf("status: %+v", s)
	}
}
