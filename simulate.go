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
}

// Simulate runs a scenario on a simulated cluster and judges it, all in memory
// and as fast as it can. Violations are not confirmed by porcupine: to run it
// again with a directory does that. When ctx ends the run is cut short.
//
// A faulty scenario is returned as a *ScenarioError. Any other error means that
// the harness itself failed.
func Simulate(ctx context.Context, s Scenario) (*Simulation, error) {
	s = s.completed()
	if s.Cluster.Kind != simulated {
		return nil, &ScenarioError{Source: "scenario " + s.Name, Mistakes: []Mistake{{
			Field: "cluster.kind", Message: "it is " + s.Cluster.Kind + "; only a cluster of kind sim can be simulated",
		}}}
	}
	if err := s.Validate(); err != nil {
		return nil, err
	}
	r := &run{scenario: &s, info: &Info{}}
	fault := r.live(ctx)
	if r.record == nil || errors.Is(fault, errStandstill) {
		return nil, errors.Join(fault, ctx.Err())
	}
	m := &Simulation{Scenario: s, History: r.record.memory.History(), Digest: r.record.memory.Digest(), Warnings: r.info.Warnings, Rounds: r.info.Rounds, Began: make(map[string][]time.Duration)}
	for _, c := range r.crews {
		maps.Copy(m.Began, c.Began())
	}
	m.Virtual = m.History.End
	m.Result = s.judge(m.History, checker.Options{CutShort: r.interrupted, Unconfirmed: true})
	return m, fault
}
