package pipe

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

func TestMain(m *testing.M) {
	if offspring.Role() == offspring.Keeper {
		os.Exit(offspring.Keep())
	}
	goleak.VerifyTestMain(m)
}
