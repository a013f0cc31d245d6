package holdfast

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/cluster/embedded"
	"github.com/etcd-holdfast/holdfast/faults"
)

// backend is one way to have a cluster. Here, and only here, backends meet.
type backend struct {
	// start launches a cluster that keeps what it needs, and logs, below a run's
	// directory.
	start func(ctx context.Context, spec ClusterSpec, directory string) (cluster.Cluster, error)
	// mistakes reports what is wrong with a spec; fields are the spec's.
	mistakes     func(spec ClusterSpec) []Mistake
	capabilities func(spec ClusterSpec) faults.Capabilities
}

func backendOf(kind string) (backend, bool) {
	switch kind {
	case "embedded":
		return backend{start: startEmbedded, mistakes: embeddedMistakes, capabilities: func(spec ClusterSpec) faults.Capabilities {
			var c *embedded.Cluster
			return faults.CapabilitiesOf(c, spec.Members)
		}}, true
	default:
		return backend{}, false
	}
}

func startEmbedded(ctx context.Context, spec ClusterSpec, directory string) (cluster.Cluster, error) {
	return embedded.Start(ctx, embedded.Config{
		Members: spec.Members, Election: spec.Election, Heartbeat: spec.Heartbeat, Fsync: spec.Fsync,
		// Not among the system's temporary files: what a killed run leaves is
		// found, and removed, with the run.
		Directory: filepath.Join(directory, "data"), LogDirectory: directory,
	})
}

func embeddedMistakes(spec ClusterSpec) []Mistake {
	var mistakes []Mistake
	wrong := func(field, format string, args ...any) {
		mistakes = append(mistakes, Mistake{Field: field, Message: fmt.Sprintf(format, args...)})
	}
	if spec.Members != 1 && spec.Members != 3 && spec.Members != 5 {
		wrong("members", "%d is none of 1, 3, 5", spec.Members)
	}
	if spec.Heartbeat < 10*time.Millisecond || spec.Heartbeat > 10*time.Second || spec.Heartbeat%time.Millisecond != 0 {
		wrong("heartbeat", "%v is not whole milliseconds between 10ms and 10s", spec.Heartbeat)
	}
	if spec.Election < 5*spec.Heartbeat || spec.Election > 50*time.Second || spec.Election%time.Millisecond != 0 {
		wrong("election", "%v is not whole milliseconds between 5 heartbeats and 50s", spec.Election)
	}
	return mistakes
}
