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

// TestStreamsThatNeedALeader: at a member that is cut off from the others a watch
// that needs a leader ends, a new one is refused, and one that does not is left
// alone.
func TestStreamsThatNeedALeader(t *testing.T) {
	err := Bubble(func() {
		c := Start(Config{Members: 3, Stream: streamsOf(1)})
		defer c.Close()
		c.Connect("c1")
		defer c.Disconnect("c1")
		for _, m := range []string{"m2", "m3"} {
			c.Link("c1", m).Impose(link.Condition{Cut: true})
		}
		client, err := c.Dial(context.Background(), "c1", time.Second)
		if err != nil {
			panic(err)
		}
		defer client.Close()
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		needs, patient := client.Watch(clientv3.WithRequireLeader(ctx), "a"), client.Watch(ctx, "a")
		time.Sleep(time.Second)
		for _, m := range []string{"m2", "m3"} {
			c.Link("m1", m).Impose(link.Condition{Cut: true})
		}
		cut := time.Now()
		if reply := <-needs; !errors.Is(reply.Err(), rpctypes.ErrNoLeader) {
			t.Errorf("the watch ended with %v", reply.Err())
		}
		if after := time.Since(cut); after < 2*time.Second || after > 3*time.Second {
			t.Errorf("the watch ended after %v, want four or five election timeouts", after)
		}
		again := time.Now()
		if reply := <-client.Watch(clientv3.WithRequireLeader(ctx), "a"); !errors.Is(reply.Err(), rpctypes.ErrNoLeader) {
			t.Errorf("the next watch ended with %v", reply.Err())
		}
		if after := time.Since(again); after > 100*time.Millisecond {
			t.Errorf("the next watch was refused after %v", after)
		}
		select {
		case reply := <-patient:
			t.Errorf("the watch that needs no leader heard %+v", reply)
		default:
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}
