package conform

import (
	"context"
	"os"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/cluster/link"

	"github.com/etcd-holdfast/holdfast/cluster/members"
)

// patience bounds every wait of these tests. It is only used up on failure.
const patience = 60 * time.Second

// Bounded is a context that ends when a test has been patient for long enough.
func Bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// Needs skips a test where something is missing that it needs, and fails it where
// nothing may be missing.
func Needs(t *testing.T, missing error) {
	t.Helper()
	switch {
	case missing == nil:
	case os.Getenv("HOLDFAST_REQUIRE") == "1":
		t.Fatalf("%v, and HOLDFAST_REQUIRE=1 says that it may not be missing", missing)
	default:
		t.Skip(missing)
	}
}

// Eventually waits until the condition holds.
func Eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx := Bounded(t)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("never happened: %s", what)
		}
	}
}

func start(t *testing.T, b Backend, config members.Config) Cluster {
	t.Helper()
	c, err := b.Start(Bounded(t), config)
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

// Connect returns a client of the cluster with the party's name. It dials the
// given members, or all.
func Connect(t *testing.T, c Cluster, party string, members ...string) *clientv3.Client {
	t.Helper()
	urls, err := c.Connect(party)
	if err != nil {
		t.Fatal(err)
	}
	if len(members) > 0 {
		urls = pick(c, urls, members)
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: urls, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func pick(c Cluster, urls, members []string) []string {
	var picked []string
	for i, name := range c.Members() {
		for _, m := range members {
			if m == name {
				picked = append(picked, urls[i])
			}
		}
	}
	return picked
}

func put(t *testing.T, client *clientv3.Client, key, value string) {
	t.Helper()
	if _, err := client.Put(Bounded(t), key, value); err != nil {
		t.Fatalf("put %s: %v", key, err)
	}
}

func expectValue(t *testing.T, client *clientv3.Client, key, value string, options ...clientv3.OpOption) {
	t.Helper()
	got, err := client.Get(Bounded(t), key, options...)
	if err != nil {
		t.Fatalf("get %s: %v", key, err)
	}
	if len(got.Kvs) != 1 || string(got.Kvs[0].Value) != value {
		t.Fatalf("get %s: %v, want %q", key, got.Kvs, value)
	}
}

// Status is what a member says of itself.
func Status(c Cluster, member string) cluster.Status {
	for _, s := range c.Status() {
		if s.Member == member {
			return s
		}
	}
	return cluster.Status{}
}

// agreedLeader waits until all of the given members follow the same leader,
// which is one of them, and returns it.
func agreedLeader(t *testing.T, c Cluster, members ...string) (leader string) {
	t.Helper()
	Eventually(t, "a leader that all agree on", func() bool {
		leader = Status(c, members[0]).Leader
		leads := false
		for _, m := range members {
			s := Status(c, m)
			if !s.Running || s.Leader != leader {
				return false
			}
			leads = leads || s.Leads
		}
		return leads
	})
	return leader
}

// others returns all members but one.
func others(c Cluster, member string) []string {
	var rest []string
	for _, m := range c.Members() {
		if m != member {
			rest = append(rest, m)
		}
	}
	return rest
}

// impose puts the links of both directions between a member and all others
// into the conditions that out and in give for them: out for those that the
// member dials, in for those on which it is dialled.
func impose(t *testing.T, c Cluster, member string, out, in link.Condition) (lift func()) {
	t.Helper()
	var lifts []func()
	for _, other := range others(c, member) {
		lifts = append(lifts,
			c.Link(member, other).Impose(out),
			c.Link(other, member).Impose(in))
	}
	return func() {
		for _, lift := range lifts {
			lift()
		}
	}
}
