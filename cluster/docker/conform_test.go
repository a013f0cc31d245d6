package docker_test

import (
	"context"
	"testing"

	"go.etcd.io/etcd/api/v3/version"

	"github.com/etcd-holdfast/holdfast/cluster/docker"
	"github.com/etcd-holdfast/holdfast/cluster/internal/conform"
	"github.com/etcd-holdfast/holdfast/cluster/members"
)

func TestDocker(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts some sixty containers")
	}
	needEngine(t)
	conform.Run(t, conform.Backend{Kind: "docker", Version: version.Version, Remote: true, Start: func(ctx context.Context, c members.Config) (conform.Cluster, error) {
		return docker.Start(ctx, docker.Config{Config: c, Say: t.Logf})
	}})
}
