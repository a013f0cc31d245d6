package console

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/etcd-holdfast/holdfast/cluster/embedded"
)

// etcd is the one-member cluster that all tests share.
var etcd *embedded.Cluster

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var err error
	if etcd, err = embedded.Start(ctx, embedded.Config{Members: 1}); err != nil {
		fmt.Fprintln(os.Stderr, "start etcd:", err)
		return 1
	}
	code := m.Run()
	if err := etcd.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "stop etcd:", err)
		return 1
	}
	if code != 0 {
		return code
	}
	// Looked for after the cluster is gone, whose goroutines are no leak.
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
