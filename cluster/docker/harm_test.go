package docker

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/cluster/internal/conform"
)

// startHere starts a cluster of three beside those of other tests, or skips the test
// where no engine is.
func startHere(t *testing.T) *Cluster {
	t.Helper()
	t.Parallel()
	conform.Needs(t, Available(t.Context()))
	c, err := Start(conform.Bounded(t), Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return c
}

// leaderOf is the member that leads, and the others.
func leaderOf(t *testing.T, c *Cluster) (leader string, others []string) {
	t.Helper()
	conform.Eventually(t, "somebody leads", func() bool {
		leader, others = "", nil
		for _, s := range c.Status() {
			if s.Leads {
				leader = s.Member
			} else {
				others = append(others, s.Member)
			}
		}
		return leader != "" && len(others) == 2
	})
	return leader, others
}

// expectAnother waits until the others follow one of themselves.
func expectAnother(t *testing.T, c *Cluster, than string, others []string) {
	t.Helper()
	conform.Eventually(t, "another leads than "+than, func() bool {
		leader := conform.Status(c, others[0]).Leader
		return leader != "" && leader != than && conform.Status(c, others[1]).Leader == leader
	})
}

// A member that is paused stands still, with evidence, and follows the others when it
// goes on.
func TestFreezeTheLeader(t *testing.T) {
	c := startHere(t)
	leader, others := leaderOf(t, c)
	frozen, err := c.Freeze(conform.Bounded(t), leader)
	if err != nil {
		t.Fatal(err)
	}
	expectAnother(t, c, leader, others)
	if stands, evidence := frozen.Evidence(); !stands || !strings.Contains(evidence, "is paused; 0s of processor time since") {
		t.Errorf("%t, %s", stands, evidence)
	}
	frozen.Thaw()
	frozen.Thaw()
	if stands, evidence := frozen.Evidence(); stands {
		t.Errorf("it goes on, and %s", evidence)
	}
	conform.Eventually(t, "it follows the others", func() bool { s := conform.Status(c, leader); return !s.Leads && s.Leader != "" })

	// One that is killed while it stands is dead.
	frozen, err = c.Freeze(conform.Bounded(t), others[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Crash(conform.Bounded(t), others[0]); err != nil {
		t.Fatal(err)
	}
	frozen.Thaw()
	if err := c.Restart(conform.Bounded(t), others[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Freeze(conform.Bounded(t), "m9"); err == nil {
		t.Error("a member that there is not stands still")
	}
}

// A member that is out of the network is reached by clients, and comes back with its
// address.
func TestUnplugTheLeader(t *testing.T) {
	c := startHere(t)
	leader, others := leaderOf(t, c)
	client := conform.Connect(t, c, "c1", leader)
	harm, err := c.Unplug(conform.Bounded(t), leader)
	if err != nil {
		t.Fatal(err)
	}
	expectAnother(t, c, leader, others)
	expectSeen(t, harm, "the pod that it has no "+c.machines[leader].pod.address.String())
	if _, err := client.Get(conform.Bounded(t), "key", clientv3.WithSerializable()); err != nil {
		t.Errorf("clients do not reach it: %v", err)
	}
	// It can be killed and started there, and finds the others when it is back.
	if err := c.Crash(conform.Bounded(t), leader); err != nil {
		t.Fatal(err)
	}
	back := make(chan error, 1)
	go func() { back <- c.Restart(conform.Bounded(t), leader) }()
	for range 2 {
		if err := harm.Undo(conform.Bounded(t)); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-back; err != nil {
		t.Fatal(err)
	}
	if seen, evidence := harm.Evidence(conform.Bounded(t)); seen {
		t.Errorf("it is back, and %s", evidence)
	}
	if _, err := client.Put(conform.Bounded(t), "key", "value"); err != nil {
		t.Error(err)
	}
}

func expectSeen(t *testing.T, harm cluster.Harm, want string) {
	t.Helper()
	seen, evidence := harm.Evidence(conform.Bounded(t))
	if !seen || !strings.Contains(evidence, want) {
		t.Errorf("%t, %q does not say %q", seen, evidence, want)
	}
}

// A member that has little of a processor is kept waiting.
func TestThrottle(t *testing.T) {
	c := startHere(t)
	harm, err := c.Throttle(conform.Bounded(t), "m1", 0.01)
	if err != nil {
		t.Fatal(err)
	}
	conform.Eventually(t, "it is kept waiting", func() bool {
		seen, _ := harm.Evidence(conform.Bounded(t))
		return seen
	})
	for range 2 {
		if err := harm.Undo(conform.Bounded(t)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Throttle(conform.Bounded(t), "m1", 0.001); err == nil {
		t.Error("it has less than the kernel gives")
	}
	if _, err := conform.Connect(t, c, "c1", "m1").Put(conform.Bounded(t), "key", "value"); err != nil {
		t.Error(err)
	}
}

// A member that has little memory is killed, or waits for what it had in memory, and
// serves again when it has got it back.
func TestSqueeze(t *testing.T) {
	c := startHere(t)
	harm, err := c.Squeeze(conform.Bounded(t), "m1", 0.9)
	if err != nil {
		t.Fatal(err)
	}
	client := conform.Connect(t, c, "c1", "m2")
	value := strings.Repeat("x", 256<<10)
	conform.Eventually(t, "it feels it", func() bool {
		if _, err := client.Put(conform.Bounded(t), "key", value); err != nil {
			t.Fatal(err)
		}
		seen, _ := harm.Evidence(conform.Bounded(t))
		return seen
	})
	if err := harm.Undo(conform.Bounded(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := conform.Connect(t, c, "c2", "m1").Put(conform.Bounded(t), "key", "value"); err != nil {
		t.Error(err)
	}
	if _, err := c.Squeeze(conform.Bounded(t), "m1", 0); err == nil {
		t.Error("it has no memory")
	}
}

// That somebody else has killed a member is known, and how.
func TestKilledBySomebodyElse(t *testing.T) {
	c := startHere(t)
	_, others := leaderOf(t, c)
	victim := others[0]
	l, err := c.LifeOf(victim)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.engine.ContainerKill(conform.Bounded(t), c.machines[victim].server, client.ContainerKillOptions{Signal: "SIGKILL"}); err != nil {
		t.Fatal(err)
	}
	conform.Eventually(t, "it is seen to have ended", func() bool { return !conform.Status(c, victim).Running })
	if err := l.Ended(); err == nil || !strings.Contains(err.Error(), "its container has ended: signal 9") {
		t.Error(err)
	}
	if err := c.Crash(conform.Bounded(t), victim); err != nil {
		t.Error(err)
	}
	if err := c.Restart(conform.Bounded(t), victim); err != nil {
		t.Error(err)
	}
}

// A member that is asked to end ends by itself; one that cannot is killed in the end.
func TestStop(t *testing.T) {
	c := startHere(t)
	if byItself, err := c.Stop(conform.Bounded(t), "m1"); err != nil || !byItself {
		t.Errorf("%t, %v", byItself, err)
	}
	if err := c.Restart(conform.Bounded(t), "m1"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Freeze(conform.Bounded(t), "m2"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(conform.Bounded(t), 200*time.Millisecond)
	defer cancel()
	if byItself, err := c.Stop(ctx, "m2"); err != nil || byItself {
		t.Errorf("one that stood still: %t, %v", byItself, err)
	}
	if err := c.Restart(conform.Bounded(t), "m2"); err != nil {
		t.Fatal(err)
	}
}
