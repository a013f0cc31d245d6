package holdfast

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
)

// form says on what a scenario still depends besides what it says.
type form int

const (
	// seeded: it needs its own seed.
	seeded form = iota
	// steady: nothing is drawn, see SimSpec.Steady.
	steady
	// free: it shows the mechanism with every seed that is tried.
	free
)

// otherSeeds is how many seeds besides its own a free scenario is tried with.
const otherSeeds = 5

// shrinker makes one scenario smaller.
type shrinker struct {
	ctx       context.Context
	options   ShrinkOptions
	mechanism string
	// verdict is that of the first run; a smaller one is not to be worse.
	verdict     checker.Verdict
	form        form
	best        *trial
	simulations atomic.Int64

	mu    sync.Mutex
	tried map[key]*trial
}

// key is of a scenario and a seed.
type key [sha256.Size]byte

// trial is one simulation of a scenario.
type trial struct {
	scenario Scenario
	text     []byte
	// shows is true if it shows the mechanism; only then is the rest there.
	shows bool
	shown checker.Broken
	size  Size
	began map[string][]time.Duration
	// witness are the slots of the clients that prove it.
	witness []string
	// load is when the load began, from which times of faults count.
	load   time.Duration
	faults []history.Fault
}

func newShrinker(ctx context.Context, o ShrinkOptions, mechanism string, m *Simulation, shown checker.Broken) *shrinker {
	h := &shrinker{ctx: ctx, options: o, mechanism: mechanism, verdict: m.Result.Verdict, tried: make(map[key]*trial)}
	h.simulations.Add(1)
	return h
}

// explicit writes out what the seed decides; that shows the same, or there is
// nothing to begin with.
func (h *shrinker) explicit(ctx context.Context, m *Simulation) error {
	s := m.Scenario.Explicit(m.Rounds)
	shown, _ := showing(m.Result, h.mechanism)
	h.expect(&s, shown)
	t, err := h.simulate(ctx, s, s.Seed)
	switch {
	case err != nil:
		return err
	case !t.shows:
		return fmt.Errorf("scenario %s with seed %d shows %q no longer when what its seed decides is written out", s.Name, s.Seed, h.mechanism)
	}
	h.best = t
	return nil
}

// expect makes a run of the scenario be judged by whether it shows the mechanism.
func (h *shrinker) expect(s *Scenario, shown checker.Broken) {
	v := &shown.Violation
	s.Expect.Reproduces, s.Expect.Damage = nil, nil
	if v.Known != "" {
		s.Expect.Reproduces = map[string][]string{shown.Subject: {v.Known}}
	} else if v.Blame == checker.BlameLease {
		s.Expect.Strict = true // else it is not said to be violated
	}
}

// simulate tries a scenario with a seed, if that was not tried before.
func (h *shrinker) simulate(ctx context.Context, s Scenario, seed int64) (*trial, error) {
	own := s.Seed
	s.Seed = seed
	text, err := s.YAML()
	if err != nil {
		return nil, err
	}
	k := key(sha256.Sum256(text))
	h.mu.Lock()
	known := h.tried[k]
	h.mu.Unlock()
	if known != nil {
		return known, nil
	}
	h.simulations.Add(1)
	m, err := Simulate(ctx, s)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	s.Seed = own
	t := &trial{scenario: s, text: text}
	var faulty *ScenarioError
	switch {
	case errors.As(err, &faulty):
		h.simulations.Add(-1)
	case err == nil:
		t.shown, t.shows = showing(m.Result, h.mechanism)
		if v := m.Result.Verdict; v != h.verdict && v != checker.Holds && v != checker.Violated {
			t.shows = false // nobody would call that a reproduction
		}
	}
	if t.shows {
		t.size, t.began, t.faults = sizeOf(&s, m), m.Began, m.History.Faults
		for _, id := range t.shown.Violation.Witness {
			if op := m.History.Operation(id); op != nil {
				slot, _, _ := strings.Cut(op.Client, ".")
				t.witness = append(t.witness, slot)
			}
		}
		for _, e := range m.History.Events {
			if e.Kind == history.PhaseBegan && e.Detail == history.PhaseLoad {
				t.load = e.Time
			}
		}
	}
	h.mu.Lock()
	h.tried[k] = t
	h.mu.Unlock()
	return t, nil
}

// accept tries a scenario as a form demands; nil if it does not do.
func (h *shrinker) accept(s Scenario, f form) *trial {
	if h.ctx.Err() != nil {
		return nil
	}
	t, err := h.simulate(h.ctx, s, s.Seed)
	if err != nil || !t.shows {
		return nil
	}
	if f == free {
		for i := range otherSeeds {
			if other, err := h.simulate(h.ctx, s, s.Seed+int64(i+1)*1_000_003); err != nil || !other.shows {
				return nil
			}
		}
	}
	return t
}

// confirmingSeeds is how many more seeds the result is tried with.
const confirmingSeeds = 30

// confirm makes sure of a result that is said to need no seed: of thousands that
// were tried with a few seeds some do by luck. If one of many does not do, a steady
// one is, which leaves nothing to a seed; else it needs its own.
func (h *shrinker) confirm(ctx context.Context) {
	if h.form != free {
		return
	}
	shows := func(s Scenario, seed int64) bool {
		t, err := h.simulate(ctx, s, seed)
		return err == nil && t.shows
	}
	s := h.best.scenario
	for i := range confirmingSeeds {
		if ctx.Err() != nil || shows(s, s.Seed+int64(otherSeeds+1+i)*1_000_003) {
			continue
		}
		s.Cluster.Sim = new(*s.Cluster.Sim)
		s.Cluster.Sim.Steady = true
		if t, err := h.simulate(ctx, s, s.Seed); err == nil && t.shows && shows(s, s.Seed+1) {
			h.best, h.form = t, steady
		} else {
			h.form = seeded
		}
		return
	}
}

// first tries scenarios, several at a time, and returns the first in their order
// that does, whichever was found first; -1 if none does.
func (h *shrinker) first(scenarios []Scenario, f form) (int, *trial) {
	var (
		mu     sync.Mutex
		next   int
		chosen = len(scenarios)
		found  *trial
		group  sync.WaitGroup
	)
	take := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		next++
		return next - 1, next-1 < chosen
	}
	for range min(h.options.Jobs, len(scenarios)) {
		group.Go(func() {
			for {
				i, more := take()
				if !more {
					return
				}
				t := h.accept(scenarios[i], f)
				mu.Lock()
				if t != nil && i < chosen {
					chosen, found = i, t
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if found == nil {
		return -1, nil
	}
	return chosen, found
}

// try makes the first scenario that does, and is another than the best one, the
// best one. It returns which that was, or -1.
func (h *shrinker) try(step string, scenarios ...Scenario) int {
	var others []Scenario
	var places []int
	for i := range scenarios {
		if text, err := scenarios[i].YAML(); err == nil && !bytes.Equal(text, h.best.text) {
			others, places = append(others, scenarios[i]), append(places, i)
		}
	}
	i, t := h.first(others, h.form)
	if t == nil {
		return -1
	}
	h.take(step, t)
	return places[i]
}

func (h *shrinker) take(step string, t *trial) {
	h.best = t
	if h.options.Progress != nil {
		h.options.Progress(ShrinkProgress{step, t.size, int(h.simulations.Load())})
	}
}

// edited is a changed copy of a scenario.
func edited(s Scenario, edit func(*Scenario)) Scenario {
	s = s.completed()
	sim := *s.Cluster.Sim
	sim.Clocks = maps.Clone(sim.Clocks)
	s.Cluster.Sim = &sim
	s.Expect.Reproduces = maps.Clone(s.Expect.Reproduces)
	for i := range s.Workloads {
		s.Workloads[i].Rounds = maps.Clone(s.Workloads[i].Rounds)
		for client, lines := range s.Workloads[i].Rounds {
			s.Workloads[i].Rounds[client] = slices.Clone(lines)
		}
	}
	edit(&s)
	return s
}
