package process_test

import (
	"os"
	"testing"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"go.uber.org/goleak"

	"github.com/etcd-holdfast/holdfast/cluster/process"
	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

func TestMain(m *testing.M) {
	switch {
	case offspring.Role() == process.Role:
		os.Exit(process.Serve())
	case offspring.Role() == process.Launcher:
		os.Exit(process.Launch())
	case offspring.Role() == harness:
		os.Exit(beHarness())
	case len(os.Args) > 1 && os.Args[1] == "--name": // as an etcd binary
		etcdmain.Main(os.Args)
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}
