package embedded

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// When etcd gives up inside embed.StartEtcd, which the test of that
		// provokes, nobody gets hold of the listener that it has opened
		// already. TestCloseLeavesNothing ignores nothing.
		goleak.IgnoreAnyFunction("go.etcd.io/etcd/client/pkg/v3/transport.(*tlsListener).acceptLoop"),
	)
}
