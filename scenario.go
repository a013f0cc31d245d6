package holdfast

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/etcd-holdfast/holdfast/faults"
	"github.com/etcd-holdfast/holdfast/quantity"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// Scenario is a whole run described. Start from a built-in one, from
// ParseScenario, or from NewScenario, which fills in the defaults; the zero
// value lacks them and is refused by Validate.
type Scenario struct {
	// Name is part of the run directory's name: letters, digits, ".", "-", "_".
	Name    string `yaml:"name"`
	Summary string `yaml:"summary"`
	// Seed decides the plan of faults and what clients do. Zero lets Run
	// choose one.
	Seed int64 `yaml:"seed"`
	// Duration is how long there are load and faults. Then all is healed, and
	// Quiet is how long clients may take for their last round.
	Duration time.Duration `yaml:"duration"`
	Quiet    time.Duration `yaml:"quiet"`
	Cluster  ClusterSpec   `yaml:"cluster"`
	Clients  ClientSpec    `yaml:"clients"`
	// Workloads run side by side on the one cluster.
	Workloads []Workload `yaml:"workloads"`
	Faults    []Fault    `yaml:"faults"`
	// Hooks are faults that commands carry out, by the name that follows "hook/" where
	// faults are named.
	Hooks map[string]faults.Hook `yaml:"hooks,omitempty"`
	// Survivable are faults that are injected when all others are healed, and
	// last during the last round: progress is demanded in the state that they
	// leave, which has to be one that a cluster survives. A number after a fault's
	// name takes the place of what the seed would draw for it.
	Survivable []string `yaml:"survivable,omitempty"`
	// Missing is SkipMissing to leave out faults that the cluster cannot have; "" is
	// that the scenario is refused then. LeftOut are those that were, and why.
	Missing string   `yaml:"missing,omitempty"`
	LeftOut []string `yaml:"left-out,omitempty"`
	Expect  Expect   `yaml:"expect"`

	// Subjects are subjects of the caller's own that Workloads can name
	// besides those of AllSubjects.
	Subjects []workloads.Subject `yaml:"-"`
}

// ClusterSpec says which cluster to launch.
type ClusterSpec struct {
	// Kind is the backend: "embedded", "process", "docker", "external" or "sim".
	Kind string `yaml:"kind"`
	// Members is 1, 3 or 5; of a cluster that somebody else runs it is the number of
	// endpoints.
	Members int `yaml:"members"`
	// Election and Heartbeat are etcd's timeouts. The smallest honest session
	// TTL is 1.5 elections, rounded up to whole seconds.
	Election  time.Duration `yaml:"election"`
	Heartbeat time.Duration `yaml:"heartbeat"`
	// Fsync makes members wait for the disk.
	Fsync bool `yaml:"fsync"`
	// Etcd is the etcd that the members of a cluster of kind process or docker run: ""
	// for the one that is linked into this program, a version such as "3.5.12", which is
	// made if need be, or the path of a server. Mixed are those of single members, by name.
	Etcd  string            `yaml:"etcd,omitempty"`
	Mixed map[string]string `yaml:"mixed,omitempty"`
	// Image is what the members of a cluster of kind docker run instead: an image that
	// the engine has or can pull, with etcd as its entrypoint or in its path.
	Image string `yaml:"image,omitempty"`
	// Disk, if not zero, is the size of a file system that each member of a cluster
	// of kind process has for itself.
	Disk quantity.Size `yaml:"disk,omitempty"`
	// ExternalSpec says more of a cluster that somebody else runs.
	ExternalSpec `yaml:",inline"`
	// Sim says more of a simulated cluster; it is of kind sim only.
	Sim *SimSpec `yaml:"sim,omitempty"`
}

// SimSpec says how the network and the clocks of a simulated cluster are.
type SimSpec struct {
	// Delay is how long a message between a client and a member is on its way, in
	// one direction; a share Slow of them takes SlowDelay. Peers is the delay
	// between members.
	Delay     quantity.Span  `yaml:"delay"`
	Slow      quantity.Share `yaml:"slow"`
	SlowDelay quantity.Span  `yaml:"slow-delay"`
	Peers     quantity.Span  `yaml:"peers"`
	// LeaseClock is how fast members' clocks run, by which they count leases, and
	// Clocks how fast those of clients do, by slot; 1 is right, and what is not named.
	LeaseClock float64            `yaml:"lease-clock"`
	Clocks     map[string]float64 `yaml:"clocks,omitempty"`
	// Steady leaves out all that would else be drawn while the simulation runs:
	// nobody is slow now and then, elections, pauses between attempts, and those
	// before a crashed client's replacement always take the same time. With delays
	// that are no ranges and rounds and faults written out, the run does not depend
	// on the seed.
	Steady bool `yaml:"steady,omitempty"`
}

// DefaultSim is how a simulated cluster is of which nothing is said.
func DefaultSim() SimSpec {
	return SimSpec{
		Delay: quantity.Span{Min: 100 * time.Microsecond, Max: 2 * time.Millisecond}, Slow: 0.01,
		SlowDelay: quantity.Span{Min: 5 * time.Millisecond, Max: 50 * time.Millisecond},
		Peers:     quantity.Span{Min: 100 * time.Microsecond, Max: time.Millisecond}, LeaseClock: 1,
	}
}

// UnmarshalYAML reads what is said over the defaults.
func (s *SimSpec) UnmarshalYAML(node *yaml.Node) error {
	type plain SimSpec
	*s = DefaultSim()
	return node.Decode((*plain)(s))
}

// ClientSpec is what the clients of all workloads have in common, unless their
// workload says otherwise.
type ClientSpec struct {
	// Count is the number of clients of each workload.
	Count int `yaml:"count"`
	// TTL is their sessions' time-to-live, whole seconds.
	TTL    time.Duration    `yaml:"ttl"`
	OnLoss workloads.OnLoss `yaml:"on-loss"`
	// As says where clients are: "" is in the process of the harness, ClientProcesses
	// that each is a process of its own, and ClientContainers a container, which can be
	// killed and stopped in the middle of what it does. Then whoever calls Run calls
	// Subprocess before all else.
	As string `yaml:"as,omitempty"`
}

// ClientProcesses makes each client a process of its own, and ClientContainers a
// container on the Docker engine of this machine; see ClientSpec.
const (
	ClientProcesses  = "processes"
	ClientContainers = "containers"
)

// Workload is the traffic to one subject.
type Workload struct {
	Subject string `yaml:"subject"`
	// Pipe, if not "", is the command line of a program that is the subject: see
	// docs/protocol.md. Subject is what it is called then.
	Pipe              string `yaml:"pipe,omitempty"`
	workloads.Traffic `yaml:",inline"`
}

// NewWorkload returns a workload on subject with the defaults of
// workloads.DefaultTraffic.
func NewWorkload(subject string) Workload {
	return Workload{Subject: subject, Traffic: workloads.DefaultTraffic()}
}

// Fault is one line of a scenario's faults; see faults.Entry.
type Fault = faults.Entry

// Expect says how the run is judged.
type Expect struct {
	// Known are the upstream issues that do not fail the run. Absent, all that
	// holdfast recognises are; an empty list accepts none.
	Known *[]string `yaml:"known,omitempty"`
	// Reproduces are the known defects that the run is there to show, by
	// subject: a run that does not is vacuous, and one that does is not for what
	// else it leaves untested.
	Reproduces map[string][]string `yaml:"reproduces,omitempty"`
	// Fixed is the version of etcd in which that is mended, if the run is on one that
	// has it. The server catalogue runs that too.
	Fixed string `yaml:"fixed,omitempty"`
	// Damage names the subjects on which the run is there to show that what is
	// protected without fencing comes to harm: a run in which no update is lost is
	// vacuous.
	Damage []string `yaml:"damage,omitempty"`
	// Strict makes known defects and beliefs that outlived their lease fail
	// the run.
	Strict bool `yaml:"strict"`
	// Grace is how long beyond its TTL a dead holder's lock may stay taken.
	Grace time.Duration `yaml:"grace"`
	// DeadlineGrace is how long after its deadline a call may return.
	DeadlineGrace time.Duration `yaml:"deadline-grace"`
	// NoticeLimit, if not zero, is the longest time from losing a lease to
	// being told.
	NoticeLimit time.Duration `yaml:"notice-limit"`
}

// NewScenario returns a scenario with all defaults, no workload and no fault.
func NewScenario(name string) Scenario {
	return Scenario{
		Name:     name,
		Duration: 20 * time.Second,
		Quiet:    12 * time.Second,
		Cluster:  ClusterSpec{Kind: "embedded", Members: 3, Election: 500 * time.Millisecond, Heartbeat: 50 * time.Millisecond},
		Clients:  ClientSpec{Count: 4, TTL: time.Second, OnLoss: workloads.Stop},
		Expect:   Expect{Grace: 5 * time.Second, DeadlineGrace: 2 * time.Second},
	}
}

// completed is a completed copy: what the caller holds is not changed.
func (s Scenario) completed() Scenario {
	s.Workloads = slices.Clone(s.Workloads)
	s.Faults = slices.Clone(s.Faults)
	s.Survivable = slices.Clone(s.Survivable)
	s.LeftOut = slices.Clone(s.LeftOut)
	s.Hooks = maps.Clone(s.Hooks)
	s.Cluster.Mixed = maps.Clone(s.Cluster.Mixed)
	for i := range s.Faults {
		f := &s.Faults[i]
		f.Of = slices.Clone(f.Of)
		if f.When != nil {
			when := *f.When
			when.Subject = slices.Clone(when.Subject)
			f.When = &when
		}
	}
	s.Complete()
	return s
}

// Complete fills in what a scenario's parts inherit: each workload takes from
// Clients what it leaves zero, and each triggered fault its defaults.
func (s *Scenario) Complete() {
	if s.Cluster.Kind == simulated && s.Cluster.Sim == nil {
		sim := DefaultSim()
		s.Cluster.Sim = &sim
	}
	if s.Cluster.shared() {
		if s.Cluster.Members = len(s.Cluster.Endpoints); s.Cluster.Prefix == "" {
			s.Cluster.Prefix = runPrefix + s.Name + "/"
		}
	}
	for i := range s.Workloads {
		w := &s.Workloads[i]
		if w.Pipe != "" && w.Subject == "" {
			w.Subject = pipeName
		}
		if w.Clients == 0 {
			w.Clients = s.Clients.Count
		}
		if w.TTL == 0 {
			w.TTL = s.Clients.TTL
		}
		if w.OnLoss == "" {
			w.OnLoss = s.Clients.OnLoss
		}
		if subject, ok := s.subject(w.Subject); ok && (subject.NewElection == nil || len(w.Script) > 0) {
			w.Observers = 0
		}
	}
	for i := range s.Faults {
		f := &s.Faults[i]
		if f.One != "" {
			f.Of, f.One = append(f.Of, f.One), ""
		}
		if f.When != nil {
			if event, err := faults.ParseEvent(f.When.Event); err == nil && event.Lasts() && f.When.Longer == 0 {
				f.When.Longer = 100 * time.Millisecond
			}
			if f.When.Nth == 0 {
				f.When.Nth = 1
			}
			if f.Times == 0 {
				f.Times = 1
			}
		} else if f.At == nil && f.Every == (quantity.Span{}) {
			f.Every = quantity.Span{Min: 2 * time.Second, Max: 4 * time.Second}
		}
		if f.At == nil && f.For == (quantity.Span{}) && lasts(f.Of) {
			f.For = quantity.Span{Min: 500 * time.Millisecond, Max: 3 * time.Second}
		}
	}
	s.leaveOut()
}

// lasts is true if one of the faults takes time.
func lasts(kinds []string) bool {
	return slices.ContainsFunc(kinds, func(name string) bool { k, ok := faults.Named(name); return !ok || !k.Instant })
}

// Plan returns the faults that the scenario plans. It depends on nothing but
// the scenario's faults, its duration, the number of its clients and its seed.
func (s *Scenario) Plan() []faults.Planned {
	c := s.completed()
	plan := faults.Schedule(streams(s.Seed), c.Faults, s.Duration)
	faults.Resolve(plan, c.slots())
	return plan
}

// slots are those of all clients of a completed scenario, in the order in which a
// run has them.
func (s *Scenario) slots() []string {
	var slots []string
	for i := range s.Workloads {
		slots = append(slots, s.slotsOf(i)...)
	}
	return slots
}

// slotsOf are those of one workload, observers last.
func (s *Scenario) slotsOf(workload int) []string {
	first := 1
	for _, w := range s.Workloads[:workload] {
		first += max(w.Clients+w.Observers, 0)
	}
	w := &s.Workloads[workload]
	return workloads.Slots(first, w.Clients+w.Observers)
}

// survivable is the plan of the faults that last during the last round. Their
// IDs follow those of a plan.
func (s *Scenario) survivable(after []faults.Planned) []faults.Planned {
	var plan []faults.Planned
	r := streams(s.Seed)("faults/survivable")
	for i, text := range s.Survivable {
		p := faults.Planned{ID: int64(len(after) + i + 1), Choice: r.Uint64()}
		name, choice, _ := survivor(text) // validated
		if p.Kind = name; choice != nil {
			p.Choice = *choice
		}
		plan = append(plan, p)
	}
	return plan
}

// survivor reads a fault of Survivable, with or without its choice.
func survivor(text string) (kind string, choice *uint64, err error) {
	kind, number, chosen := strings.Cut(text, " ")
	if !chosen {
		return kind, nil, nil
	}
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return kind, nil, fmt.Errorf("%q is not a number that chooses whom %s hits", number, kind)
	}
	return kind, &n, nil
}
