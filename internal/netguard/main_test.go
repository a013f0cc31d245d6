package netguard_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/etcd-holdfast/holdfast/internal/netguard"
	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

func TestMain(m *testing.M) {
	if offspring.Role() == netguard.Role {
		os.Exit(netguard.Guard())
	}
	goleak.VerifyTestMain(m)
}
