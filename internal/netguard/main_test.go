package netguard_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/etcd-holdfast/holdfast/internal/netguard"
	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

func TestMain(m *testing.M) {
	if offspring.Role() == netguard.Role {
		if err := netguard.Serve(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}
