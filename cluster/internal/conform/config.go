package conform

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster/members"
)

func testEveryFaultOfAConfigIsReported(t *testing.T, b Backend) {
	for _, test := range []struct {
		name   string
		config members.Config
		want   []string
	}{
		{"four members", members.Config{Members: 4}, []string{"members: 4: must be 1, 3 or 5"}},
		{"negative", members.Config{Members: -1, Election: -1, Heartbeat: -1},
			[]string{"members: -1", "election: -1ns", "heartbeat: -1ns"}},
		{"not whole milliseconds", members.Config{Election: 500*time.Millisecond + 1, Heartbeat: 500 * time.Microsecond},
			[]string{"election: 500.000001ms", "heartbeat: 500µs"}},
		{"too few heartbeats", members.Config{Election: 200 * time.Millisecond},
			[]string{"election: 200ms: must be at least 5 heartbeats (250ms)"}},
		{"too long, and even", members.Config{Members: 2, Election: time.Minute},
			[]string{"members: 2", "election: 1m0s: must be at most 50s"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := b.Start(context.Background(), test.config)
			if err == nil {
				_ = c.Close()
				t.Fatal("it was accepted")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if got := strings.Count(err.Error(), "\n") + 1; got != len(test.want) {
				t.Errorf("%q reports %d faults, want %d", err, got, len(test.want))
			}
		})
	}
}

func testSmallestTTL(t *testing.T, b Backend) {
	for _, test := range []struct {
		election, heartbeat, want time.Duration
	}{
		{0, 0, time.Second},
		{660 * time.Millisecond, 60 * time.Millisecond, time.Second},
		{700 * time.Millisecond, 50 * time.Millisecond, 2 * time.Second},
		{time.Second, 100 * time.Millisecond, 2 * time.Second},
		{5 * time.Second, 100 * time.Millisecond, 8 * time.Second},
	} {
		if got := (members.Config{Election: test.election, Heartbeat: test.heartbeat}).SmallestTTL(); got != test.want {
			t.Errorf("election %v, heartbeat %v: %v, want %v", test.election, test.heartbeat, got, test.want)
		}
	}
}

// What SmallestTTL computes is what members do.
func testMembersGrantTheSmallestTTL(t *testing.T, b Backend) {
	for _, config := range []members.Config{
		{},
		{Members: 1, Election: 700 * time.Millisecond},
	} {
		c := start(t, b, config)
		granted, err := Connect(t, c, "c1").Grant(Bounded(t), 1)
		if err != nil {
			t.Fatal(err)
		}
		if want := int64(config.SmallestTTL() / time.Second); granted.TTL != want {
			t.Errorf("%+v: a TTL of 1 s came back as %d s, want %d s", config, granted.TTL, want)
		}
	}
}
