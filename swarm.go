package holdfast

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/etcd-holdfast/holdfast/faults"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/quantity"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// Swarm says what SimulatedScenario may draw. The zero value is everything.
type Swarm struct {
	// Duration is how long there are load and faults, by the run's clock; zero is
	// ten seconds.
	Duration time.Duration
	// Faults are the kinds to draw from; nil is all that a simulated cluster can
	// have. An empty list is none, and then nothing else is wrong either: messages
	// are fast, clocks are right, and clients give their session up when they do
	// not know what became of a call.
	Faults []string
}

// SimulatedScenario draws a scenario for one subject on a simulated cluster. It is
// a function of its arguments. Drawn are how many clients share how many objects,
// how long they hold, wait and live, how far members and clients are from each
// other, how their clocks run, and which faults there are: a few kinds a run and
// not all of them, so that none hides what another would show (Groce et al., Swarm
// Testing, ISSTA 2012).
func SimulatedScenario(subject workloads.Subject, seed int64, swarm Swarm) Scenario {
	r := workloads.Stream(seed, "swarm")
	s := NewScenario(subject.Name + "-simulated")
	s.Seed = seed
	s.Duration = swarm.Duration
	if s.Duration == 0 {
		s.Duration = 10 * time.Second
	}
	s.Cluster.Kind, s.Cluster.Members = simulated, 1
	if r.IntN(2) == 0 {
		s.Cluster.Members = 3
	}
	ttl := time.Duration([]int{1, 1, 2, 3, 5, 10}[r.IntN(6)]) * time.Second
	s.Clients.TTL = ttl
	s.Clients.OnLoss = []workloads.OnLoss{workloads.Stop, workloads.Mixed, workloads.Ignore}[r.IntN(3)]
	s.Quiet = 2*ttl + 15*time.Second
	if own, builtin := (&Scenario{}).subject(subject.Name); builtin {
		subject = own
	} else {
		s.Subjects = append(s.Subjects, subject)
	}
	w := swarmTraffic(subject, ttl, r)
	s.Cluster.Sim = swarmNetwork(w.Clients+w.Observers, r)
	if swarm.Faults != nil && len(swarm.Faults) == 0 {
		w.KeepSession = 0
		s.Cluster.Sim.Slow, s.Cluster.Sim.LeaseClock, s.Cluster.Sim.Clocks = 0, 1, nil
	}
	s.Workloads = []Workload{w}
	// Of subjects that are no elections there are no observers.
	whole := s.completed()
	slots := whole.slots()
	maps.DeleteFunc(s.Cluster.Sim.Clocks, func(slot string, _ float64) bool { return !slices.Contains(slots, slot) })
	kinds := swarm.Faults
	if kinds == nil {
		kinds = simulatedFaults()
	}
	s.Faults = swarmFaults(kinds, subject.Name, s.Cluster.Members, ttl, r)
	s.Summary = fmt.Sprintf("Drawn from seed %d: %d clients, %d members, a TTL of %v, %d kinds of faults.", seed, w.Clients, s.Cluster.Members, ttl, len(s.Faults))
	return s
}

// simulatedFaults are the kinds of faults that a simulated cluster can have.
func simulatedFaults() []string {
	b, _ := backendOf(simulated)
	capabilities := b.capabilities(ClusterSpec{Members: 3})
	var names []string
	for _, k := range faults.Kinds() {
		if k.Unsupported(capabilities) == nil {
			names = append(names, k.Name)
		}
	}
	return names
}

// swarmTraffic draws the traffic to a subject.
func swarmTraffic(subject workloads.Subject, ttl time.Duration, r *rand.Rand) Workload {
	w := NewWorkload(subject.Name)
	w.Clients, w.Objects = 2+r.IntN(4), 1
	if r.IntN(3) == 0 {
		w.Objects = 2
	}
	w.Hold = quantity.Span{Min: time.Millisecond, Max: among(r, 20*time.Millisecond, 200*time.Millisecond, time.Second)}
	// Longer than a lease lives, so that it can end while others wait.
	w.Long, w.LongHold = quantity.Share(0.05+float64(0.3*r.Float64())), quantity.Span{Min: ttl / 2, Max: 2 * ttl}
	w.Think = quantity.Span{Max: among(r, 20*time.Millisecond, 200*time.Millisecond, time.Second, 2*ttl)}
	w.Patience = quantity.Span{Min: 2 * ttl, Max: 4 * ttl}
	w.Impatient = quantity.Share([]float64{0, 0.1, 0.4}[r.IntN(3)])
	w.Impatience = quantity.Span{Min: 10 * time.Millisecond, Max: ttl}
	w.Try, w.Several = quantity.Share(0.2*r.Float64()), quantity.Share(0.2*r.Float64())
	w.Readers, w.Proclaim = quantity.Share(0.2+float64(0.6*r.Float64())), quantity.Share(0.5*r.Float64())
	w.Permits = 2
	careless := r.IntN(3) == 0
	if careless && subject.Origin == history.FromEtcd {
		// Who goes on elsewhere leaves what it does not know of, and who waits for it
		// does not wait for ever.
		w.KeepSession, w.Objects, w.Impatient = 1, 2+r.IntN(2), 0.4
	}
	switch subject.Primitive() {
	case history.DoubleBarrier:
		w.Clients = 2 * (1 + r.IntN(2))
	case history.Bank, history.Register:
		w.Objects, w.Long = 1, 0
		w.Hold, w.Think = span(0, 50), span(20, 300)
	case history.Queue, history.PriorityQueue, history.Barrier:
		w.Think = span(20, 300)
	}
	return w
}

// swarmNetwork draws delays and clocks.
func swarmNetwork(clients int, r *rand.Rand) *SimSpec {
	n := DefaultSim()
	n.Delay = quantity.Span{Min: 50 * time.Microsecond, Max: among(r, 500*time.Microsecond, 3*time.Millisecond, 20*time.Millisecond)}
	n.Slow = quantity.Share(among(r, 0, 0.01, 0.1))
	n.SlowDelay = quantity.Span{Min: 5 * time.Millisecond, Max: among(r, 50*time.Millisecond, 200*time.Millisecond)}
	n.Peers = quantity.Span{Min: 50 * time.Microsecond, Max: among(r, 500*time.Microsecond, 10*time.Millisecond)}
	if r.IntN(4) == 0 {
		n.LeaseClock = rate(r)
	}
	if r.IntN(4) == 0 {
		n.Clocks = make(map[string]float64)
		for i := range clients {
			n.Clocks["c"+strconv.Itoa(i+1)] = rate(r)
		}
	}
	return &n
}

// rate draws how fast a clock is. The conversion keeps processors that can from
// multiplying and adding in one step, which rounds otherwise.
func rate(r *rand.Rand) float64 { return 0.97 + float64(0.06*r.Float64()) }

// moments are what faults on clients may wait for: a fault that begins with one
// hits what takes a moment only, such as a request whose answer is on its way.
var moments = []string{"request Txn", "answer Txn", "created", "deleted"}

// swarmFaults draws which kinds of faults there are, and how often.
func swarmFaults(kinds []string, subject string, members int, ttl time.Duration, r *rand.Rand) []Fault {
	b, _ := backendOf(simulated)
	capabilities := b.capabilities(ClusterSpec{Members: members})
	var drawn []Fault
	share := among(r, 0.15, 0.3)
	for _, name := range kinds {
		// The same number of draws for every kind, whether it is taken or not.
		taken, rate, short, timed := r.Float64(), among(r, time.Second, 2*time.Second, 4*time.Second, 8*time.Second), r.IntN(3) == 0, r.IntN(3) > 0
		moment, nth, times := among(r, moments...), 1+r.IntN(12), 1+r.IntN(4)
		kind, ok := faults.Named(name)
		if !ok || kind.Unsupported(capabilities) != nil || taken >= share && len(kinds) > 1 {
			continue
		}
		f := Fault{Of: []string{name}, Every: quantity.Span{Min: rate / 4, Max: rate}, For: quantity.Span{Min: ttl / 2, Max: 2*ttl + time.Second}}
		if short {
			f.For = quantity.Span{Min: 10 * time.Millisecond, Max: ttl}
		}
		if kind.OnClient && !timed {
			f.Every = quantity.Span{}
			f.When, f.Times = &faults.Trigger{Subject: faults.Names{subject}, Event: moment, Nth: nth}, times
		}
		drawn = append(drawn, f)
	}
	return drawn
}

func among[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }
