package holdfast

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// ShrinkOptions say how much Shrink may do. The zero value works.
type ShrinkOptions struct {
	// Limit is how long it may take by the wall clock, zero ten seconds.
	Limit time.Duration
	// Jobs is how many simulations run at a time, zero as many as processors.
	Jobs int
	// Progress, if set, is told of every scenario that is smaller and still shows
	// the mechanism. It is called from one goroutine.
	Progress func(ShrinkProgress)
}

// ShrinkProgress is how far Shrink has come.
type ShrinkProgress struct {
	// Step is what was just made smaller, in a few words.
	Step        string
	Size        Size
	Simulations int
}

// Size is how large a scenario is, and the run that it makes.
type Size struct {
	Faults, Clients, Members int
	// Rounds are those that clients begin before the heal, Operations all that are
	// recorded.
	Rounds, Operations int
	// Virtual is how long the run takes by its own clock.
	Virtual time.Duration
}

func (s Size) String() string {
	return fmt.Sprintf("%s, %s, %s, %s, %s, %v",
		counted(s.Faults, "fault"), counted(s.Clients, "client"), counted(s.Rounds, "round"),
		counted(s.Operations, "operation"), counted(s.Members, "member"), s.Virtual.Round(time.Millisecond))
}

func counted(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}

// Shrunk is what a scenario was made of that shows the same.
type Shrunk struct {
	// Scenario is explicit: its faults have their times and victims, its clients
	// their rounds. It shows Mechanism, with any seed unless NeedsSeed.
	Scenario Scenario
	// Mechanism is what both show, and Sentence how the smaller one's run does.
	Mechanism, Sentence string
	Before, After       Size
	// NeedsSeed is true if no scenario was found that shows it with other seeds,
	// too: then Scenario does with its own.
	NeedsSeed bool
	// Simulations is how many were made, Took how long that was.
	Simulations int
	Took        time.Duration
	// Cut is true if there was no time to try all that could make it smaller.
	Cut bool
}

// shrinkLimit is how long Shrink may take if nobody says.
const shrinkLimit = 10 * time.Second

// Shrink makes a scenario on a simulated cluster, whose seed shows a mechanism, as
// small as it can: no fault, client or round is left without which the run shows
// it, too, and what is left is as plain as it can be. The mechanism is one of
// those that checker.Result.Mechanisms names. What else a run shows does not count.
//
// Every step is a simulation, or several; of what is tried at once the first that
// shows it is taken, so that the same scenario becomes the same smaller one unless
// time ends. When ctx or the limit does, the smallest so far is returned.
//
// A faulty scenario is returned as a *ScenarioError, one that does not show the
// mechanism as a *NotShownError.
func Shrink(ctx context.Context, s Scenario, mechanism string, o ShrinkOptions) (*Shrunk, error) {
	began := time.Now()
	if o.Limit == 0 {
		o.Limit = shrinkLimit
	}
	if o.Jobs <= 0 {
		o.Jobs = runtime.GOMAXPROCS(0)
	}
	m, err := Simulate(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	shown, ok := showing(m.Result, mechanism)
	if !ok {
		return nil, &NotShownError{s.Name, s.Seed, mechanism, m.Result.Mechanisms()}
	}
	within, cancel := context.WithDeadline(ctx, began.Add(o.Limit))
	defer cancel()
	h := newShrinker(within, o, mechanism, m, shown)
	if err := h.explicit(ctx, m); err != nil {
		return nil, err
	}
	h.shrink()
	h.confirm(ctx)
	r := &Shrunk{
		Scenario: h.named(s, m), Mechanism: mechanism, Sentence: h.best.shown.Violation.Sentence,
		Before: sizeOf(&m.Scenario, m), After: h.best.size,
		NeedsSeed: h.form == seeded, Simulations: int(h.simulations.Load()), Cut: within.Err() != nil,
	}
	r.Took = time.Since(began)
	return r, nil
}

// NotShownError says that a scenario does not show what it was to be shrunk for.
type NotShownError struct {
	Scenario  string
	Seed      int64
	Mechanism string
	Shown     []checker.Broken
}

func (e *NotShownError) Error() string {
	var shown []string
	for _, b := range e.Shown {
		shown = append(shown, b.Mechanism)
	}
	what := "it shows nothing"
	if len(shown) > 0 {
		what = "it shows: " + strings.Join(shown, "; ")
	}
	return fmt.Sprintf("scenario %s with seed %d does not show %q when it is simulated; %s", e.Scenario, e.Seed, e.Mechanism, what)
}

// showing finds a mechanism in a result.
func showing(r *checker.Result, mechanism string) (checker.Broken, bool) {
	all := r.Mechanisms()
	i := slices.IndexFunc(all, func(b checker.Broken) bool { return b.Mechanism == mechanism })
	if i < 0 {
		return checker.Broken{}, false
	}
	return all[i], true
}

// sizeOf measures a scenario and its run.
func sizeOf(s *Scenario, m *Simulation) Size {
	size := Size{Faults: len(s.Plan()) + len(s.Survivable), Members: s.Cluster.Members, Operations: len(m.History.Operations), Virtual: m.Virtual}
	for i := range s.Workloads {
		size.Clients += s.Workloads[i].Clients + s.Workloads[i].Observers
	}
	for client, n := range m.Rounds {
		size.Rounds += n
		for _, line := range s.written(client)[:min(n, len(s.written(client)))] {
			if d, err := workloads.ParseDecision(line); err == nil && len(d.Objects) == 0 {
				size.Rounds-- // a pause
			}
		}
	}
	return size
}

// written are the rounds that a client has written down.
func (s *Scenario) written(client string) []string {
	for i := range s.Workloads {
		if lines, ok := s.Workloads[i].Rounds[client]; ok {
			return lines
		}
	}
	return nil
}

// named gives the smallest scenario its name, and says where it comes from.
func (h *shrinker) named(from Scenario, m *Simulation) Scenario {
	s := h.best.scenario
	const ending = "-shrunk"
	s.Name = from.Name[:min(len(from.Name), 64-len(ending))] + ending
	seed := "any seed does"
	if h.form == seeded {
		seed = "it needs this seed"
	}
	s.Summary = fmt.Sprintf("Shows %s. Shrunk from %s, seed %d (%s); %s. %s",
		h.mechanism, from.Name, from.Seed, sizeOf(&m.Scenario, m), seed, h.best.shown.Violation.Sentence)
	return s
}
