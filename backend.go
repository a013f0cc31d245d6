package holdfast

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/cluster/docker"
	"github.com/etcd-holdfast/holdfast/cluster/embedded"
	"github.com/etcd-holdfast/holdfast/cluster/members"
	"github.com/etcd-holdfast/holdfast/cluster/sim"
	"github.com/etcd-holdfast/holdfast/faults"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// The kinds of cluster.
const (
	embeddedKind = "embedded"
	processes    = "process"
	containers   = "docker"
	simulated    = "sim"
)

// ClusterKinds are the kinds of cluster that there are, as scenarios spell them.
func ClusterKinds() []string {
	return []string{embeddedKind, processes, containers, externalKind, simulated}
}

// launch is what a backend needs to start a cluster.
type launch struct {
	spec ClusterSpec
	// stream returns the random stream of a label.
	stream func(label string) *rand.Rand
	// directory is where the cluster keeps what it needs, and logs; "" is nowhere,
	// which only a virtual one can take.
	directory string
	// gateway makes the members serve etcd's JSON gateway, for programs.
	gateway bool
	// login is as whom a cluster that somebody else runs is asked.
	login workloads.Login
	// interrupted is true once the run is to end; a virtual cluster calls interrupt
	// then.
	interrupted func() bool
	interrupt   func()
	// faults are the kinds that may be injected.
	faults []string
	// say tells what is being done.
	say func(format string, args ...any)
	// binaries are the etcd servers that members run, by name, once they are there.
	binaries map[string]string
	// servers are those of containers.
	servers map[string]docker.Server
}

// backend is one way to have a cluster. Here, and only here, backends meet.
type backend struct {
	// available, if set, is why there is no such cluster to be had here, or nil. It is
	// asked before anything is started.
	available func(ctx context.Context) error
	// prepare, if set, gets what start needs, which may take long.
	prepare func(ctx context.Context, l *launch) error
	start   func(ctx context.Context, l *launch) (cluster.Cluster, error)
	// virtual is true if its time is: all of the run is in a bubble.
	virtual bool
	// mistakes reports what is wrong with a spec; fields are the spec's.
	mistakes     func(spec ClusterSpec) []Mistake
	capabilities func(spec ClusterSpec) faults.Capabilities
}

func backendOf(kind string) (backend, bool) {
	switch kind {
	case embeddedKind:
		return backend{start: startEmbedded, mistakes: embeddedMistakes, capabilities: func(spec ClusterSpec) faults.Capabilities {
			var c *embedded.Cluster
			can := faults.CapabilitiesOf(c, spec.Members)
			can.Fsync = spec.Fsync
			return can
		}}, true
	case processes:
		return backend{prepare: prepareProcesses, start: startProcesses, mistakes: processMistakes, capabilities: processCapabilities}, true
	case containers:
		return backend{available: docker.Available, prepare: prepareContainers, start: startContainers, mistakes: containerMistakes, capabilities: containerCapabilities}, true
	case externalKind:
		return backend{start: startExternal, mistakes: externalMistakes, capabilities: externalCapabilities}, true
	case simulated:
		return backend{start: startSim, virtual: true, mistakes: simMistakes, capabilities: func(spec ClusterSpec) faults.Capabilities {
			var c *sim.Cluster
			return faults.CapabilitiesOf(c, spec.Members)
		}}, true
	default:
		return backend{}, false
	}
}

// available is why what the scenario needs is not to be had here, or nil.
func (s *Scenario) available(ctx context.Context) error {
	if b, _ := backendOf(s.Cluster.Kind); b.available != nil {
		if err := b.available(ctx); err != nil {
			return fmt.Errorf("a cluster of kind %s: %w", s.Cluster.Kind, err)
		}
	}
	if s.Clients.As == ClientContainers {
		if err := docker.Available(ctx); err != nil {
			return fmt.Errorf("clients in containers: %w", err)
		}
	}
	return nil
}

// launch starts the scenario's cluster.
func (r *run) launch(ctx context.Context, b backend) (cluster.Cluster, error) {
	l := &launch{
		spec: r.scenario.Cluster, stream: streams(r.scenario.Seed), directory: r.path(), gateway: r.scenario.piped(),
		interrupted: r.stopped, interrupt: r.interrupt, faults: r.scenario.faultKinds(), say: r.say,
		login: r.login,
	}
	if b.prepare != nil {
		if err := b.prepare(ctx, l); err != nil {
			return nil, err
		}
	}
	within, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	return b.start(within, l)
}

// faultKinds are all kinds of faults that the scenario names.
func (s *Scenario) faultKinds() []string {
	var kinds []string
	for _, f := range s.Faults {
		kinds = append(kinds, f.Of...)
	}
	for _, text := range s.Survivable {
		kind, _, _ := survivor(text) // validated
		kinds = append(kinds, kind)
	}
	return kinds
}

func startEmbedded(ctx context.Context, l *launch) (cluster.Cluster, error) {
	return embedded.Start(ctx, l.members())
}

// members is the configuration of a cluster of real servers.
func (l *launch) members() members.Config {
	return members.Config{
		Members: l.spec.Members, Election: l.spec.Election, Heartbeat: l.spec.Heartbeat, Fsync: l.spec.Fsync, Gateway: l.gateway,
		// Not among the system's temporary files: what a killed run leaves is
		// found, and removed, with the run.
		Directory: filepath.Join(l.directory, "data"), LogDirectory: l.directory,
	}
}

func startSim(_ context.Context, l *launch) (cluster.Cluster, error) {
	s := l.spec.Sim
	return sim.Start(sim.Config{
		Members: l.spec.Members, Election: l.spec.Election, Heartbeat: l.spec.Heartbeat,
		Delays: sim.Delays{Usual: s.Delay, Slow: s.Slow, Long: s.SlowDelay}, Peers: sim.Delays{Usual: s.Peers},
		LeaseClock: s.LeaseClock, Clock: func(party string) float64 {
			slot, _, _ := strings.Cut(party, ".")
			return s.Clocks[slot]
		},
		Stream: l.stream, Steady: s.Steady, Interrupted: l.interrupted, Interrupt: l.interrupt,
	}), nil
}

func embeddedMistakes(spec ClusterSpec) []Mistake {
	return slices.Concat(etcdMistakes(spec), simAlone(spec), processesAlone(spec), containersAlone(spec), externalAlone(spec))
}

// simAlone is the mistake of saying of a real cluster what only a simulated one
// has.
func simAlone(spec ClusterSpec) []Mistake {
	if spec.Sim == nil {
		return nil
	}
	return []Mistake{{Field: "sim", Message: fmt.Sprintf("it is of a cluster of kind sim, and this one is %s; say kind: sim, or leave it out", spec.Kind)}}
}

// etcdMistakes reports what is wrong with how etcd is set up.
func etcdMistakes(spec ClusterSpec) []Mistake {
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

func simMistakes(spec ClusterSpec) []Mistake {
	mistakes := slices.Concat(etcdMistakes(spec), processesAlone(spec), containersAlone(spec), externalAlone(spec))
	wrong := func(field, format string, args ...any) {
		mistakes = append(mistakes, Mistake{Field: "sim." + field, Message: fmt.Sprintf(format, args...)})
	}
	if spec.Fsync {
		mistakes = append(mistakes, Mistake{Field: "fsync", Message: "a simulated cluster has no disk"})
	}
	s := spec.Sim
	if s == nil { // Complete was not called
		s = &SimSpec{LeaseClock: 1}
	}
	for _, part := range []struct {
		field string
		err   error
	}{{"delay", s.Delay.Validate()}, {"slow", s.Slow.Validate()}, {"slow-delay", s.SlowDelay.Validate()}, {"peers", s.Peers.Validate()}} {
		if part.err != nil {
			wrong(part.field, "%v", part.err)
		}
	}
	if bad(s.LeaseClock) {
		wrong("lease-clock", "%v is not between 0.1 and 10", s.LeaseClock)
	}
	for _, slot := range slices.Sorted(maps.Keys(s.Clocks)) {
		if rate := s.Clocks[slot]; bad(rate) {
			wrong("clocks."+slot, "%v is not between 0.1 and 10", rate)
		}
	}
	return mistakes
}

func bad(rate float64) bool { return !(rate >= 0.1 && rate <= 10) }
