package process_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/version"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/cluster/internal/conform"
	"github.com/etcd-holdfast/holdfast/cluster/members"
	"github.com/etcd-holdfast/holdfast/cluster/process"
)

func leader(t *testing.T, c cluster.StatusReader) (name string) {
	t.Helper()
	conform.Eventually(t, "somebody leads", func() bool {
		for _, s := range c.Status() {
			if s.Leads {
				name = s.Member
			}
		}
		return name != ""
	})
	return name
}

// A frozen leader runs and leads by its own last account, while the others go on
// without it; thawed it finds that out.
func TestAFrozenLeader(t *testing.T) {
	c := start(t, process.Config{})
	old := leader(t, c)
	frozen, err := c.Freeze(conform.Bounded(t), old)
	if err != nil {
		t.Fatal(err)
	}
	conform.Eventually(t, "another leads", func() bool {
		return slices.ContainsFunc(c.Status(), func(s cluster.Status) bool { return s.Leads && s.Member != old })
	})
	if s := conform.Status(c, old); !s.Running || !s.Leads {
		t.Errorf("the frozen one: %+v", s)
	}
	if ok, evidence := frozen.Evidence(); !ok {
		t.Errorf("evidence: %s", evidence)
	}
	frozen.Thaw()
	conform.Eventually(t, "the old leader follows", func() bool { s := conform.Status(c, old); return !s.Leads && s.Leader != "" })
	if ok, evidence := frozen.Evidence(); ok {
		t.Errorf("evidence after the thaw: %s", evidence)
	}
	if _, err := c.Freeze(conform.Bounded(t), "m9"); err == nil {
		t.Error("a member was frozen that there is not")
	}
}

// Close takes members along that stand still.
func TestCloseWhileAMemberIsFrozen(t *testing.T) {
	c := start(t, process.Config{})
	if _, err := c.Freeze(conform.Bounded(t), "m2"); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// A member that is asked to end does so, unless it cannot hear: then it is killed.
func TestStop(t *testing.T) {
	c := start(t, process.Config{Binaries: map[string]string{"m2": self(t)}})
	for _, member := range []string{"m1", "m2"} {
		byItself, err := c.Stop(conform.Bounded(t), member)
		if err != nil || !byItself || conform.Status(c, member).Running {
			t.Errorf("%s was asked to end: %t, %v, %+v", member, byItself, err, conform.Status(c, member))
		}
		if err := c.Restart(conform.Bounded(t), member); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Freeze(conform.Bounded(t), "m1"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if byItself, err := c.Stop(ctx, "m1"); err != nil || byItself {
		t.Errorf("one that stands was asked to end: %t, %v", byItself, err)
	}
	if err := c.Restart(conform.Bounded(t), "m1"); err != nil {
		t.Fatal(err)
	}
}

// Members whose calls pass a gate do all that others do.
func TestMembersBehindAGate(t *testing.T) {
	need(t, process.SlowDisks())
	conform.Run(t, conform.Backend{Kind: "process", Version: version.Version, Brief: testing.Short(), Start: func(ctx context.Context, c members.Config) (conform.Cluster, error) {
		c.Fsync = true
		return process.Start(ctx, process.Config{Config: c, SlowDisks: true})
	}})
}

// A member that waits for its disk acknowledges nothing until the disk goes on,
// whatever it runs.
func TestASlowDisk(t *testing.T) {
	need(t, process.SlowDisks())
	for name, binary := range map[string]string{"own": "", "foreign": self(t)} {
		t.Run(name, func(t *testing.T) {
			c := start(t, process.Config{Config: members.Config{Members: 1, Fsync: true}, Binary: binary, SlowDisks: true})
			client := conform.Connect(t, c, "c1")
			if _, err := client.Put(conform.Bounded(t), "key", "before"); err != nil {
				t.Fatal(err)
			}
			disk, err := c.SlowDisk("m1", func() time.Duration { return -1 })
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.SlowDisk("m1", func() time.Duration { return 0 }); err == nil {
				t.Error("a disk was made slow twice at a time")
			}
			written := make(chan error, 1)
			go func() {
				_, err := client.Put(conform.Bounded(t), "key", "during")
				written <- err
			}()
			conform.Eventually(t, "a call is kept", func() bool { calls, _ := disk.Seen(); return calls > 0 })
			select {
			case err := <-written:
				t.Errorf("a write was answered: %v", err)
			default:
			}
			disk.Lift()
			if err := <-written; err != nil {
				t.Error(err)
			}
			if _, total := disk.Seen(); total == 0 {
				t.Error("no time was lost")
			}
			again, err := c.SlowDisk("m1", func() time.Duration { return time.Millisecond })
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.Put(conform.Bounded(t), "key", "after"); err != nil {
				t.Fatal(err)
			}
			if calls, total := again.Seen(); calls == 0 || total < time.Duration(calls)*time.Millisecond {
				t.Errorf("%d calls were kept for %v", calls, total)
			}
		})
	}
}

// What was not asked for at the start cannot be had later.
func TestDisksThatCannotBeHarmed(t *testing.T) {
	c := start(t, process.Config{Config: members.Config{Members: 1}})
	if _, err := c.SlowDisk("m1", func() time.Duration { return 0 }); err == nil || !strings.Contains(err.Error(), "not started for that") {
		t.Errorf("slow: %v", err)
	}
	if _, err := c.FillDisk(conform.Bounded(t), "m1"); err == nil || !strings.Contains(err.Error(), "not started with any") {
		t.Errorf("fill: %v", err)
	}
}

// Members' own file systems are there while the cluster is, and can be filled.
func TestOwnDisks(t *testing.T) {
	need(t, process.OwnDisks())
	c := start(t, process.Config{Config: members.Config{Members: 1}, Disk: 192 << 20})
	mounted, err := process.Disks()
	if err != nil || !slices.Contains(mounted, c.Places()[0].Directory) {
		t.Fatalf("mounted: %q, %v", mounted, err)
	}
	full, err := c.FillDisk(conform.Bounded(t), "m1")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.Places()[0].Directory, "more"), make([]byte, 1<<16), 0o600); err == nil {
		t.Error("there is room")
	}
	if ok, evidence := full.Evidence(); !ok || !strings.HasPrefix(evidence, "0 bytes free") {
		t.Errorf("%t, %s", ok, evidence)
	}
	if err := full.Empty(conform.Bounded(t)); err != nil {
		t.Fatal(err)
	}
	if ok, evidence := full.Evidence(); ok {
		t.Errorf("after it was emptied: %s", evidence)
	}
	if _, err := conform.Connect(t, c, "c1").Put(conform.Bounded(t), "key", "after"); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if after, err := process.Disks(); err != nil || slices.Contains(after, c.Places()[0].Directory) {
		t.Errorf("still mounted: %q, %v", after, err)
	}
}

// need skips a test of what this machine cannot do, unless nothing may be skipped.
func need(t *testing.T, err error) {
	t.Helper()
	switch {
	case err == nil:
	case os.Getenv("HOLDFAST_REQUIRE") == "1":
		t.Fatalf("%v, and HOLDFAST_REQUIRE=1 says that it may not be missing", err)
	default:
		t.Skip(err)
	}
}
