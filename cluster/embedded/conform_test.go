package embedded

import (
	"context"
	"testing"

	"go.etcd.io/etcd/api/v3/version"

	"github.com/etcd-holdfast/holdfast/cluster/internal/conform"
)

func TestEmbedded(t *testing.T) {
	conform.Run(t, conform.Backend{Kind: "embedded", Version: version.Version, Start: func(ctx context.Context, c Config) (conform.Cluster, error) {
		return Start(ctx, c)
	}})
}
