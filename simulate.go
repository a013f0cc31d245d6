package holdfast

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
)

// Simulation is what one run in virtual time came to, in memory.
type Simulation struct {
	Scenario Scenario
	// Digest is the same for the same scenario, seed and version of holdfast.
	Digest history.Digest
	// Virtual is how long the run took by its own clock.
	Virtual time.Duration
	History *history.History
	Result  *checker.Result
	// Rounds is how many rounds each client began.
	Rounds map[string]int
	// Began is when each client began its rounds.
	Began map[string][]time.Duration
	// Warnings are failures of healing and tearing down.
	Warnings []string

	// memory is where History is.
	memory *history.Memory
}

// Simulate runs a scenario on a simulated cluster and judges it, all in memory
// and as fast as it can. Violations are not confirmed by porcupine: to run it
// again with a directory does that. When ctx ends the run is cut short.
//
// A faulty scenario is returned as a *ScenarioError. Any other error means that
// the harness itself failed.
func Simulate(ctx context.Context, s Scenario) (*Simulation, error) { return simulate(ctx, s, nil) }

// simulate is Simulate in the space of a run before, of which nothing that is in
// its history is used any more; nil is none.
func simulate(ctx context.Context, s Scenario, spent *history.Memory) (*Simulation, error) {
	s = s.completed()
	if s.Cluster.Kind != simulated {
		return nil, &ScenarioError{Source: "scenario " + s.Name, Mistakes: []Mistake{{
			Field: "cluster.kind", Message: "it is " + s.Cluster.Kind + "; only a cluster of kind sim can be simulated",
		}}}
	}
	if err := s.Validate(); err != nil {
		return nil, err
	}
	r := &run{scenario: &s, info: &Info{}, spent: spent}
	fault := r.live(ctx)
	if r.record == nil || errors.Is(fault, errStandstill) {
		return nil, errors.Join(fault, ctx.Err())
	}
	m := &Simulation{
		Scenario: s, History: r.record.memory.History(), Digest: r.record.memory.Digest(), Warnings: r.info.Warnings,
		Rounds: r.info.Rounds, Began: make(map[string][]time.Duration), memory: r.record.memory,
	}
	for _, c := range r.crews {
		maps.Copy(m.Began, c.Began())
	}
	m.Virtual = m.History.End
	m.Result = s.judge(m.History, checker.Options{CutShort: r.interrupted, Unconfirmed: true})
	return m, fault
}
