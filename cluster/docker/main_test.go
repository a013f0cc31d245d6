package docker_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/etcd-holdfast/holdfast/cluster/docker"
	"github.com/etcd-holdfast/holdfast/cluster/internal/conform"
	"github.com/etcd-holdfast/holdfast/internal/netguard"
	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

func TestMain(m *testing.M) {
	switch offspring.Role() {
	case docker.PodRole:
		os.Exit(docker.BePod())
	case docker.ServerRole:
		os.Exit(docker.Serve())
	case netguard.Role:
		os.Exit(netguard.Guard())
	case asker:
		if err := docker.Available(context.Background()); err != nil {
			fmt.Println(err)
		}
		os.Exit(0)
	case docker.ScoutRole:
		os.Exit(docker.Scout())
	case echo:
		os.Exit(beEcho())
	case harness:
		os.Exit(beHarness())
	}
	goleak.VerifyTestMain(m)
}

// needEngine skips a test where no Docker engine is.
func needEngine(t *testing.T) {
	t.Helper()
	conform.Needs(t, docker.Available(context.Background()))
}
