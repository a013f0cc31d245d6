package docker_test

import (
	"context"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/etcd-holdfast/holdfast/cluster/docker"
	"github.com/etcd-holdfast/holdfast/cluster/internal/conform"
	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

func TestMain(m *testing.M) {
	switch offspring.Role() {
	case docker.PodRole:
		os.Exit(docker.BePod())
	case docker.ServerRole:
		os.Exit(docker.Serve())
	}
	goleak.VerifyTestMain(m)
}

// needEngine skips a test where no Docker engine is.
func needEngine(t *testing.T) {
	t.Helper()
	err := docker.Available(context.Background())
	switch {
	case err == nil:
	case os.Getenv("HOLDFAST_REQUIRE") == "1":
		t.Fatalf("%v, and HOLDFAST_REQUIRE=1 says that it may not be missing", err)
	default:
		t.Skip(err)
	}
}

func start(t *testing.T, config docker.Config) *docker.Cluster {
	t.Helper()
	c, err := docker.Start(conform.Bounded(t), config)
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
