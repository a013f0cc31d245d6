package process_test

import (
	"context"
	"testing"

	"go.etcd.io/etcd/api/v3/version"

	"github.com/etcd-holdfast/holdfast/cluster/internal/conform"
	"github.com/etcd-holdfast/holdfast/cluster/members"
	"github.com/etcd-holdfast/holdfast/cluster/process"
)

func TestProcess(t *testing.T) {
	conform.Run(t, conform.Backend{Kind: "process", Version: version.Version, Start: func(ctx context.Context, c members.Config) (conform.Cluster, error) {
		return process.Start(ctx, process.Config{Config: c})
	}})
}
