package process_test

import (
	"testing"

	"github.com/etcd-holdfast/holdfast/cluster/internal/conform"
	"github.com/etcd-holdfast/holdfast/cluster/process"
)

func start(t *testing.T, config process.Config) *process.Cluster {
	t.Helper()
	c, err := process.Start(conform.Bounded(t), config)
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
