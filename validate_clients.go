package holdfast

import (
	"fmt"

	"github.com/etcd-holdfast/holdfast/internal/monotonic"
)

// clientMistakes judges where the clients are to be.
func (s *Scenario) clientMistakes(wrong complain) {
	switch s.Clients.As {
	case "":
		return
	case ClientProcesses, ClientContainers:
	default:
		wrong("clients.as", "%q is not where clients can be; leave it out for clients in this process, or say %s or %s", s.Clients.As, ClientProcesses, ClientContainers)
		return
	}
	if b, ok := backendOf(s.Cluster.Kind); ok && b.virtual {
		wrong("clients.as", "a cluster of kind %s is simulated in this process, and its time with it: no other process can be its client (of embedded and process they can); leave it out, as with --clients-as ''", s.Cluster.Kind)
	}
	if _, err := monotonic.Now(); err != nil {
		wrong("clients.as", "%v", err)
	}
	for i := range s.Workloads {
		if len(s.Workloads[i].Shared) > 0 {
			wrong(fmt.Sprintf("workloads[%d].shared", i), "clients that are processes or containers of their own cannot share a session; leave clients.as out, or shared")
		}
	}
}
