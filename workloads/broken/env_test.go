package broken

import (
	"os"
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

func TestMain(m *testing.M) { os.Exit(testetcd.Run(m)) }

// subjectNamed returns a subject of this package.
func subjectNamed(t *testing.T, name string) workloads.Subject {
	t.Helper()
	for _, s := range Subjects() {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("there is no subject %q", name)
	return workloads.Subject{}
}
