package holdfast

import (
	"context"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/etcd-holdfast/holdfast/internal/leaks"
)

func TestMain(m *testing.M) {
	if code, handled := Subprocess(context.Background(), mortal()); handled {
		os.Exit(code)
	}
	goleak.VerifyTestMain(m, leaks.OfMembers()...)
}
