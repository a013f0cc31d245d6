package answers

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// measured skips a test that launches clusters when only short ones are wanted.
func measured(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it launches a cluster")
	}
}
