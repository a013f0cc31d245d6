package sim

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/cluster/link"
)

// at connects a client to one member only.
func (l *lab) at(member, name string, use func(ctx context.Context, client *clientv3.Client)) {
	l.Helper()
	if _, err := l.Connect(name); err != nil {
		l.Fatal(err)
	}
	for _, m := range l.Members() {
		if m != member {
			l.Link(name, m).Impose(link.Condition{Cut: true})
		}
	}
	l.dial(name, use)
}

// mute keeps back all that a member says to the others.
func (l *lab) mute(member string) (lift func()) {
	var lifts []func()
	for _, other := range l.Members() {
		if other != member {
			lifts = append(lifts, l.Link(member, other).Impose(link.Stall(link.ToTarget)), l.Link(other, member).Impose(link.Stall(link.ToDialler)))
		}
	}
	return func() {
		for _, lift := range lifts {
			lift()
		}
	}
}

// A member that nobody hears hears its leader: it applies what is committed, and
// its streams go on.
func TestAMuteMemberFollows(t *testing.T) {
	within(t, Config{Members: 3}, func(l *lab) {
		l.at("m2", "c2", func(ctx context.Context, client *clientv3.Client) {
			watch := client.Watch(clientv3.WithRequireLeader(ctx), "x")
			time.Sleep(time.Second)
			defer l.mute("m2")()
			time.Sleep(time.Minute)
			l.at("m1", "c1", func(ctx context.Context, other *clientv3.Client) {
				must[*clientv3.PutResponse](l)(other.Put(ctx, "x", "1"))
			})
			reply := <-watch
			if err := reply.Err(); err != nil || len(reply.Events) != 1 {
				t.Fatalf("the watch told %v, %v", reply.Events, err)
			}
			got := must[*clientv3.GetResponse](l)(client.Get(ctx, "x", clientv3.WithSerializable()))
			if got.Count != 1 {
				t.Error("the member has not applied the put")
			}
		})
	})
}

// tried puts a key at a member and gives up after a second.
func (l *lab) tried(ctx context.Context, client *clientv3.Client, key string) {
	l.Helper()
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if _, err := client.Put(ctx, key, ""); err == nil {
		l.Errorf("put %s", key)
	}
}

// What a mute member was asked to change reaches its leader in the end, though who
// asked has gone; what a member without a leader was asked does not.
func TestWhoHasARequestThatWaits(t *testing.T) {
	for _, c := range []struct {
		what    string
		harm    func(l *lab) (lift func())
		before  time.Duration
		changes int64
	}{
		{"mute", func(l *lab) func() { return l.mute("m2") }, 5 * time.Second, 1},
		{"cut off, and it knows", func(l *lab) func() { return l.isolate("m2") }, 5 * time.Second, 0},
		{"cut off a moment ago", func(l *lab) func() { return l.isolate("m2") }, time.Millisecond, 0},
	} {
		within(t, Config{Members: 3}, func(l *lab) {
			l.at("m2", "c2", func(ctx context.Context, client *clientv3.Client) {
				must[*clientv3.PutResponse](l)(client.Put(ctx, "there", ""))
				lift := c.harm(l)
				time.Sleep(c.before)
				l.tried(ctx, client, "x")
				time.Sleep(time.Second)
				lift()
				time.Sleep(5 * time.Second)
				if got := must[*clientv3.GetResponse](l)(client.Get(ctx, "x")); got.Count != c.changes {
					t.Errorf("%s: the key is there %d times, want %d", c.what, got.Count, c.changes)
				}
			})
		})
	}
}

// Whose time has run out is told so, and once, even if it comes about later and both
// answers would be kept back together.
func TestARequestHasOneAnswer(t *testing.T) {
	within(t, Config{Members: 3}, func(l *lab) {
		l.at("m2", "c2", func(ctx context.Context, client *clientv3.Client) {
			must[*clientv3.PutResponse](l)(client.Put(ctx, "there", ""))
			lift := l.mute("m2")
			told := make(chan error, 1)
			go func() {
				_, err := client.Put(ctx, "x", "")
				told <- err
			}()
			time.Sleep(time.Second)
			flow := l.impose("c2", link.Stall(link.ToDialler))
			time.Sleep(time.Minute)
			lift()
			time.Sleep(time.Second)
			flow()
			if err := <-told; !errors.Is(err, rpctypes.ErrTimeout) {
				t.Errorf("the put ended with %v", err)
			}
			for range 10 {
				must[*clientv3.GetResponse](l)(client.Get(ctx, "x"))
			}
		})
	})
}

// A request that still waits when there is a leader again is carried out.
func TestAMemberKeepsWhatItIsAskedWithoutALeader(t *testing.T) {
	within(t, Config{Members: 3}, func(l *lab) {
		l.at("m2", "c2", func(ctx context.Context, client *clientv3.Client) {
			must[*clientv3.PutResponse](l)(client.Put(ctx, "there", ""))
			lift := l.isolate("m2")
			time.Sleep(5 * time.Second)
			time.AfterFunc(time.Second, lift)
			must[*clientv3.PutResponse](l)(client.Put(ctx, "x", ""))
		})
	})
}

// isolate cuts a member off from the others.
func (l *lab) isolate(member string) (lift func()) {
	var lifts []func()
	for _, other := range l.Members() {
		if other != member {
			lifts = append(lifts, l.Link(member, other).Impose(link.Condition{Cut: true}), l.Link(other, member).Impose(link.Condition{Cut: true}))
		}
	}
	return func() {
		for _, lift := range lifts {
			lift()
		}
	}
}
