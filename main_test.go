package holdfast

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/etcd-holdfast/holdfast/internal/leaks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, leaks.OfMembers()...) }
