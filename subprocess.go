package holdfast

import (
	"context"
	"fmt"
	"os"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/cluster/docker"
	"github.com/etcd-holdfast/holdfast/cluster/process"
	"github.com/etcd-holdfast/holdfast/internal/netguard"
	"github.com/etcd-holdfast/holdfast/internal/offspring"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// Subprocess does what this process was started for, if a run started it: runs
// start the program that they are in anew, for members, clients and the keepers
// of other programs. It returns the exit code then, and true. Whoever calls Run
// has to call it before all else, with the subjects of its own, as in
//
//	func main() {
//		if code, handled := holdfast.Subprocess(ctx, mine); handled {
//			os.Exit(code)
//		}
//		…
//
// or in TestMain, where it is a test that calls Run.
func Subprocess(ctx context.Context, subjects ...workloads.Subject) (code int, handled bool) {
	switch role := offspring.Role(); role {
	case "":
		return 0, false
	case offspring.Keeper:
		return offspring.Keep(), true
	case process.Role:
		return process.Serve(), true
	case process.Launcher:
		return process.Launch(), true
	case containedRole:
		return serveContained(ctx, subjects), true
	case docker.ScoutRole:
		return docker.Scout(), true
	case docker.PodRole:
		return docker.BePod(), true
	case docker.ServerRole:
		return docker.Serve(), true
	case netguard.Role:
		return netguard.Guard(), true
	case clientRole:
		return serveClient(ctx, subjects), true
	default:
		fmt.Fprintf(os.Stderr, "holdfast: this process was started as a %q, which this version does not know\n", role)
		return checker.ExitInternal, true
	}
}
