package broken

import (
	"os"
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

func TestMain(m *testing.M) { os.Exit(testetcd.Run(m)) }
