// Command simbench measures how many runs of etcd's mutex are simulated a second,
// recorded and judged, and how much faster than the wall clock their own clocks
// go. Both figures are of all processors together.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"text/tabwriter"
	"time"

	"github.com/etcd-holdfast/holdfast"
	"github.com/etcd-holdfast/holdfast/quantity"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// shape is a kind of run.
type shape struct {
	clients, locks int
	ttl            time.Duration
	faults         []string
	// busy has clients take locks at random for as long as there is load, and each
	// lock once more in the end; else each client takes each lock once.
	busy bool
}

func (s shape) String() string {
	text := fmt.Sprintf("%d clients × %d locks, TTL %v", s.clients, s.locks, s.ttl)
	if s.busy {
		text += ", at random and once more"
	} else {
		text += ", each once"
	}
	if len(s.faults) == 0 {
		text += ", no faults"
	}
	return text
}

func span(least, most time.Duration) quantity.Span { return quantity.Span{Min: least, Max: most} }

// scenario is a run of the shape.
func (s shape) scenario(seed int64) holdfast.Scenario {
	r := holdfast.NewScenario("bench")
	r.Cluster.Kind, r.Cluster.Members = "sim", 1
	r.Duration, r.Quiet = 15*time.Second, 3*s.ttl
	r.Clients.Count, r.Clients.TTL, r.Clients.OnLoss = s.clients, s.ttl, workloads.Mixed
	w := holdfast.NewWorkload("mutex")
	w.Objects = s.locks
	w.Hold, w.Long, w.Think = span(50*time.Millisecond, time.Second), 0, span(time.Second, 5*time.Second)
	if !s.busy {
		w.NoLastRound, w.Rounds = true, s.rounds(seed)
	}
	r.Workloads = []holdfast.Workload{w}
	if len(s.faults) > 0 {
		r.Faults = []holdfast.Fault{{Of: s.faults, Every: span(2*time.Second, 4*time.Second), For: span(500*time.Millisecond, 5*time.Second)}}
	}
	return r
}

// rounds has each client take each lock once, in the order of its own.
func (s shape) rounds(seed int64) workloads.Rounds {
	rounds := make(workloads.Rounds)
	for c := range s.clients {
		name := fmt.Sprintf("c%d", c+1)
		r := workloads.Stream(seed, "bench/"+name)
		for _, lock := range r.Perm(s.locks) {
			d := workloads.Decision{
				Objects: []int{lock}, Hold: span(50*time.Millisecond, time.Second).Draw(r),
				Think: span(2*time.Second, 6*time.Second).Draw(r),
			}
			rounds[name] = append(rounds[name], d.String())
		}
	}
	return rounds
}

func main() {
	length := flag.Duration("time", 5*time.Second, "how long each shape is run")
	jobs := flag.Int("jobs", runtime.GOMAXPROCS(0), "how many runs at a time")
	flag.Parse()
	debug.SetGCPercent(holdfast.SimulationGC)
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "run\truns/s\tvirtual : real\tvirtual s a run\toperations a run\t")
	faults := []string{"cut-client", "stall-client", "lose-answer", "crash-client", "revoke-lease", "pause-client"}
	for _, s := range []shape{
		{5, 3, 10 * time.Second, faults, false}, {5, 3, 10 * time.Second, nil, false}, {2, 1, 10 * time.Second, faults, false},
		{5, 3, 10 * time.Second, faults, true}, {5, 3, 10 * time.Second, nil, true},
	} {
		r, err := holdfast.Sweep(context.Background(), s.scenario, holdfast.SweepOptions{From: 1, Limit: *length, Jobs: *jobs})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if len(r.Failed) > 0 {
			fmt.Fprintf(os.Stderr, "%v: runs failed, by seed: %v\n", s, r.Failed)
			os.Exit(1)
		}
		fmt.Fprintf(t, "%v\t%.0f\t%.0f\t%.1f\t%.0f\t\n", s, r.Rate(), r.Speed(), r.Virtual.Seconds()/float64(r.Runs), float64(r.Operations)/float64(r.Runs))
	}
	if err := t.Flush(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
