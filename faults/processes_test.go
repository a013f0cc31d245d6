package faults

import (
	"context"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/cluster/embedded"
	"github.com/etcd-holdfast/holdfast/cluster/members"
	"github.com/etcd-holdfast/holdfast/cluster/process"
	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

func TestMain(m *testing.M) {
	switch offspring.Role() {
	case process.Role:
		os.Exit(process.Serve())
	case process.Launcher:
		os.Exit(process.Launch())
	}
	goleak.VerifyTestMain(m)
}

// Every kind of fault, on real clusters: its effect is seen and recorded, it is
// healed, and the cluster serves again.
func TestEveryFaultProvesItsEffectAndHeals(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	t.Cleanup(cancel)
	config := process.Config{Config: members.Config{Fsync: true}}
	config.SlowDisks = process.SlowDisks() == nil
	if process.OwnDisks() == nil {
		config.Disk = 256 << 20
	}
	for _, test := range []struct {
		kind         string
		start        func() (cluster.Cluster, error)
		capabilities func(*Capabilities)
	}{
		{"embedded", func() (cluster.Cluster, error) { return embedded.Start(ctx, embedded.Config{}) }, func(*Capabilities) {}},
		{"process", func() (cluster.Cluster, error) { return process.Start(ctx, config) }, func(c *Capabilities) {
			c.Fsync, c.NoSlowDisk, c.NoFullDisk = true, process.SlowDisks(), process.OwnDisks()
		}},
	} {
		t.Run(test.kind, func(t *testing.T) {
			t.Parallel()
			c, err := test.start()
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			}()
			can := CapabilitiesOf(c, len(c.Members()))
			test.capabilities(&can)
			proveAll(t, ctx, c, can)
		})
	}
}
