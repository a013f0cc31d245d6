package sim

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"

	"github.com/etcd-holdfast/holdfast/cluster/link"
	"github.com/etcd-holdfast/holdfast/quantity"
)

// impose puts all of a client's links into a condition.
func (l *lab) impose(client string, c link.Condition) (lift func()) {
	var lifts []func()
	for _, m := range l.Members() {
		lifts = append(lifts, l.Link(client, m).Impose(c))
	}
	return func() {
		for _, lift := range lifts {
			lift()
		}
	}
}

func TestALeaseEndsWhenItIsNotRenewed(t *testing.T) {
	within(t, Config{Members: 3}, func(l *lab) {
		l.dial("c1", func(ctx context.Context, client *clientv3.Client) {
			s := must[*concurrency.Session](l)(concurrency.NewSession(client, concurrency.WithTTL(10)))
			must[*clientv3.PutResponse](l)(client.Put(ctx, "x", "", clientv3.WithLease(s.Lease())))
			time.Sleep(5 * time.Minute)
			select {
			case <-s.Done():
				t.Fatal("the session was lost without a cause")
			default:
			}
			cut := l.now()
			lift := l.impose("c1", link.Condition{Cut: true})
			<-s.Done()
			// The client looks once a second whether its last answer is a TTL old, which
			// it asks for every third of it.
			if told := l.now() - cut; told < 6*time.Second || told > 12*time.Second {
				t.Errorf("the client was told after %v", told)
			}
			lift()
			got := must[*clientv3.GetResponse](l)(client.Get(ctx, "x"))
			if len(got.Kvs) != 0 && l.now()-cut > 11*time.Second {
				t.Errorf("the key is there after %v", l.now()-cut)
			}
		})
	})
}

func TestARequestWhoseConnectionIsCutFails(t *testing.T) {
	within(t, Config{Members: 3}, func(l *lab) {
		l.dial("c1", func(ctx context.Context, client *clientv3.Client) {
			must[*clientv3.PutResponse](l)(client.Put(ctx, "x", "1"))
			lift := l.impose("c1", link.Stall(link.ToDialler))
			failed := make(chan error)
			go func() {
				_, err := client.Put(ctx, "x", "2")
				failed <- err
			}()
			time.Sleep(time.Second)
			cut := l.impose("c1", link.Condition{Cut: true})
			if err := <-failed; err == nil {
				t.Error("a Put whose answer was lost went well")
			}
			lift()
			cut()
			// It had been applied: only the answer was lost.
			got := must[*clientv3.GetResponse](l)(client.Get(ctx, "x"))
			if string(got.Kvs[0].Value) != "2" {
				t.Errorf("x is %s", got.Kvs[0].Value)
			}
			stats := l.Link("c1", "m1").Stats()
			if stats.Severed != 1 || stats.Accepted < 2 {
				t.Errorf("%+v", stats)
			}
		})
	})
}

func TestAStallKeepsMessagesAndTheirOrder(t *testing.T) {
	within(t, Config{}, func(l *lab) {
		l.dial("c1", func(ctx context.Context, client *clientv3.Client) {
			watch := client.Watch(ctx, "x")
			must[*clientv3.PutResponse](l)(client.Put(ctx, "x", "0"))
			<-watch
			lift := l.impose("c1", link.Stall(link.ToDialler))
			l.dial("c2", func(ctx context.Context, other *clientv3.Client) {
				for _, v := range []string{"1", "2", "3"} {
					must[*clientv3.PutResponse](l)(other.Put(ctx, "x", v))
				}
			})
			time.Sleep(time.Minute)
			if held := l.Link("c1", "m1").Stats().Held.ToDialler; held == 0 {
				t.Error("nothing is held")
			}
			select {
			case r := <-watch:
				t.Errorf("%+v came through", r)
			default:
			}
			lift()
			l.sees(watch, "123")
		})
	})
}

// What is on its way when a stall ends does not overtake what the stall kept back.
func TestWhatAStallKeptComesFirst(t *testing.T) {
	millisecond := Delays{Usual: quantity.Span{Min: time.Millisecond, Max: time.Millisecond}}
	within(t, Config{Delays: millisecond, Peers: millisecond}, func(l *lab) {
		l.dial("c1", func(ctx context.Context, client *clientv3.Client) {
			watch := client.Watch(ctx, "x")
			must[*clientv3.PutResponse](l)(client.Put(ctx, "x", "0"))
			<-watch
			lift := l.impose("c1", link.Stall(link.ToDialler))
			l.dial("c2", func(ctx context.Context, other *clientv3.Client) {
				must[*clientv3.PutResponse](l)(other.Put(ctx, "x", "1"))
				must[*clientv3.PutResponse](l)(other.Put(ctx, "x", "2"))
				time.Sleep(time.Second)
				put := make(chan error)
				go func() {
					_, err := other.Put(ctx, "x", "3")
					put <- err
				}()
				time.Sleep(1500 * time.Microsecond) // it is applied, and its event is on its way
				lift()
				if err := <-put; err != nil {
					t.Error(err)
				}
			})
			l.sees(watch, "123")
		})
	})
}

func TestALeaderWithoutAMajorityIsReplaced(t *testing.T) {
	within(t, Config{Members: 3}, func(l *lab) {
		l.dial("c1", func(ctx context.Context, client *clientv3.Client) {
			must[*clientv3.PutResponse](l)(client.Put(ctx, "x", "1"))
			granted := must[*clientv3.LeaseGrantResponse](l)(client.Grant(ctx, 10))
			time.Sleep(8 * time.Second)
			old := l.leader()
			var lifts []func()
			for _, m := range l.Members() {
				if m != old {
					lifts = append(lifts, l.Link(old, m).Impose(link.Condition{Cut: true}), l.Link(m, old).Impose(link.Condition{Cut: true}))
				}
			}
			time.Sleep(2 * time.Second)
			if next := l.leader(); next == old || next == "" {
				t.Fatalf("%q leads after %s was isolated", next, old)
			}
			// The new leader gives the lease its whole time again.
			left := must[*clientv3.LeaseTimeToLiveResponse](l)(client.TimeToLive(ctx, granted.ID))
			if left.TTL < 8 {
				t.Errorf("the lease has %d s to live", left.TTL)
			}
			// The old leader has what it had, and answers who does not mind. What it is
			// asked to change it cannot.
			for range 3 {
				if _, err := client.Put(ctx, "x", "2"); err != nil && !errors.Is(err, rpctypes.ErrTimeout) {
					t.Error(err)
				}
			}
			values := make(map[string]bool)
			for range 3 {
				got := must[*clientv3.GetResponse](l)(client.Get(ctx, "x", clientv3.WithSerializable()))
				values[string(got.Kvs[0].Value)] = true
			}
			if !values["1"] || !values["2"] {
				t.Errorf("serializable reads saw %v", values)
			}
			for _, lift := range lifts {
				lift()
			}
			time.Sleep(time.Second)
			for range 3 {
				got := must[*clientv3.GetResponse](l)(client.Get(ctx, "x", clientv3.WithSerializable()))
				if string(got.Kvs[0].Value) != "2" {
					t.Errorf("after the heal x is %s", got.Kvs[0].Value)
				}
			}
		})
	})
}

func TestWithoutALeaderRequestsTimeOut(t *testing.T) {
	within(t, Config{Members: 3}, func(l *lab) {
		l.dial("c1", func(ctx context.Context, client *clientv3.Client) {
			must[*clientv3.PutResponse](l)(client.Put(ctx, "x", "1"))
			for _, m := range []string{"m1", "m2"} {
				if err := l.Crash(ctx, m); err != nil {
					t.Fatal(err)
				}
			}
			began := l.now()
			_, err := client.Put(ctx, "x", "2")
			if !errors.Is(err, rpctypes.ErrTimeout) {
				t.Errorf("a Put without a leader: %v", err)
			}
			if took := l.now() - began; took < 6*time.Second || took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
			if err := l.Crash(ctx, "m1"); err == nil {
				t.Error("a member that is down crashed")
			}
			for _, m := range []string{"m1", "m2"} {
				if err := l.Restart(ctx, m); err != nil {
					t.Fatal(err)
				}
			}
			must[*clientv3.PutResponse](l)(client.Put(ctx, "x", "3"))
			if err := l.Restart(ctx, "m1"); err == nil {
				t.Error("a member that runs was restarted")
			}
		})
	})
}

func TestTheLeadershipMoves(t *testing.T) {
	within(t, Config{Members: 3}, func(l *lab) {
		if err := l.MoveLeader(context.Background(), "m3"); err != nil || l.leader() != "m3" {
			t.Errorf("%s leads: %v", l.leader(), err)
		}
		if err := l.MoveLeader(context.Background(), "m4"); err == nil {
			t.Error("a member that there is not leads")
		}
	})
}

// TestClocks holds a lease by a client whose clock is fast, and one whose clock is
// slow: by their own clocks it lives longer, and shorter.
func TestClocks(t *testing.T) {
	for _, c := range []struct {
		lease, client float64
		least, most   time.Duration
	}{
		{1, 1, 10 * time.Second, 10600 * time.Millisecond},
		{1, 2, 20 * time.Second, 20600 * time.Millisecond},
		{1, 0.5, 5 * time.Second, 5600 * time.Millisecond},
		{2, 1, 5 * time.Second, 5600 * time.Millisecond},
	} {
		within(t, Config{LeaseClock: c.lease, Clock: func(string) float64 { return c.client }}, func(l *lab) {
			l.dial("c1", func(ctx context.Context, client *clientv3.Client) {
				granted := must[*clientv3.LeaseGrantResponse](l)(client.Grant(ctx, 10))
				began := l.now()
				must[*clientv3.PutResponse](l)(client.Put(ctx, "x", "", clientv3.WithLease(granted.ID)))
				<-client.Watch(ctx, "x")
				if took := l.now() - began; took < c.least-100*time.Millisecond || took > c.most {
					t.Errorf("with clocks %v and %v the lease took %v", c.lease, c.client, took)
				}
			})
		})
	}
}

func TestAPausedClientHasNoTurn(t *testing.T) {
	within(t, Config{}, func(l *lab) {
		kept, resume := l.Pause("c1")
		took := make(chan time.Duration)
		go func() {
			l.Turn("c1", false, nil)
			took <- l.now()
		}()
		l.Turn("c2", false, nil)
		if l.now() > time.Second {
			t.Errorf("another client waited %v", l.now())
		}
		time.Sleep(time.Minute)
		if kept() != 1 {
			t.Errorf("%d turns were kept", kept())
		}
		resume()
		resume()
		if at := <-took; at < time.Minute {
			t.Errorf("a paused client had its turn at %v", at)
		}
	})
}

func TestTapsHoldMessages(t *testing.T) {
	within(t, Config{}, func(l *lab) {
		l.dial("c1", func(ctx context.Context, client *clientv3.Client) {
			var seen []string
			remove := l.Link("c1", "m1").Tap(func(m link.Message) {
				seen = append(seen, m.Call()+" "+m.Direction.String())
				time.Sleep(time.Second)
			})
			began := l.now()
			must[*clientv3.PutResponse](l)(client.Put(ctx, "x", "1"))
			if took := l.now() - began; took < 2*time.Second {
				t.Errorf("it took %v", took)
			}
			if len(seen) != 2 || seen[0] != "Put to target" || seen[1] != "Put to dialler" {
				t.Errorf("%q", seen)
			}
			remove()
			must[*clientv3.PutResponse](l)(client.Put(ctx, "x", "2"))
			if len(seen) != 2 || l.Link("c1", "m1").Requests() != 2 {
				t.Errorf("%q, %d requests", seen, l.Link("c1", "m1").Requests())
			}
		})
	})
}

func TestWhatThereIsNotSaysSo(t *testing.T) {
	within(t, Config{}, func(l *lab) {
		l.dial("c1", func(ctx context.Context, client *clientv3.Client) {
			if _, err := client.MemberList(ctx); err == nil {
				t.Error("there is a list of members")
			}
			if _, err := client.AuthStatus(ctx); err == nil {
				t.Error("there is auth")
			}
		})
	})
}
