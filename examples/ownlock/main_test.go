package ownlock

import (
	"context"
	"os"
	"testing"

	"github.com/etcd-holdfast/holdfast"
)

// A run starts this program anew for clients that are processes.
func TestMain(m *testing.M) {
	if code, handled := holdfast.Subprocess(context.Background(), Subject()); handled {
		os.Exit(code)
	}
	os.Exit(m.Run())
}
