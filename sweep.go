package holdfast

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
)

// SweepOptions say which seeds Sweep runs. From is the first one and has to be
// set; the zero value of every other field works.
type SweepOptions struct {
	// From and To are the first and the last seed; a zero To is no last one: then
	// Limit, or ctx, has to end the sweep.
	From, To int64
	// Limit is how long it may take by the wall clock; zero is as long as it takes.
	Limit time.Duration
	// Jobs is how many runs there are at a time; zero is one for each processor
	// that Go uses.
	Jobs int
	// FailFast ends the sweep at the first run that fails; runs with lower seeds
	// that were begun before are finished.
	FailFast bool
	// Strict lets known defects and beliefs that outlived their lease fail, too.
	Strict bool
	// Verify makes each run twice and compares what was recorded.
	Verify bool
	// Progress, if set, is told how far the sweep is, a few times a second, one call
	// at a time. It must be quick.
	Progress func(*SweepResult)
}

// Found is one mechanism that a sweep found.
type Found struct {
	checker.Broken
	// Runs is how many runs showed it, Seed the lowest seed of these, Scenario
	// and Digest that run's. The violation is that run's, too.
	Runs     int
	Seed     int64
	Scenario Scenario
	Digest   history.Digest
	// Smallest are the scenarios of the runs that showed it with the least else in
	// them, the smallest first: those are the best to shrink.
	Smallest []Scenario
	// After is how long the sweep had taken when it was first seen.
	After time.Duration
}

// Tested is what a sweep says of one property of a subject.
type Tested struct {
	Subject, Property string
	// Runs by their verdict.
	Holds, Violated, Unknown, Vacuous int
}

// mostSmallest is how many runs are kept of each mechanism.
const mostSmallest = 3

// SweepResult is what a sweep has come to. All but times is the same for the same
// seeds, whatever the number of jobs.
type SweepResult struct {
	// Runs is how many runs were judged, and Last the highest seed of those that
	// ended before any that did not begin.
	Runs int
	Last int64
	// Operations is how many were recorded in all, Virtual how long all runs took
	// by their own clocks, Took how long the sweep did by the wall's.
	Operations    int64
	Virtual, Took time.Duration
	// Found are the mechanisms, unexplained ones first, then by first seed.
	Found  []Found
	Tested []Tested
	// Diverged are seeds whose second run recorded something else.
	Diverged []int64
	// Failed are runs that the harness could not make, by seed.
	Failed map[int64]error
	// Complete is true if every seed was run.
	Complete bool
	// Interrupted is true if ctx ended the sweep before its last seed or its limit
	// did.
	Interrupted bool
}

// Rate is runs per second of wall-clock time.
func (r *SweepResult) Rate() float64 { return float64(r.Runs) / max(r.Took.Seconds(), 1e-9) }

// Speed is how much faster than the wall clock the runs' own clocks went, all
// together.
func (r *SweepResult) Speed() float64 { return r.Virtual.Seconds() / max(r.Took.Seconds(), 1e-9) }

// Verdict is the worst of all runs', where a property is vacuous only if it was in
// every run. A sweep that was interrupted is at best unknown, and so is one of which
// runs failed or diverged.
func (r *SweepResult) Verdict(strict bool) checker.Verdict {
	for _, f := range r.Found {
		if strict || !f.Excused {
			return checker.Violated
		}
	}
	if r.Interrupted || len(r.Failed)+len(r.Diverged) > 0 {
		return checker.Unknown
	}
	verdict := checker.Holds
	for _, t := range r.Tested {
		switch {
		case t.Unknown > 0:
			return checker.Unknown
		case t.Holds+t.Violated == 0 && !reported(t.Property):
			verdict = checker.Vacuous
		}
	}
	if r.Runs == 0 {
		return checker.Vacuous
	}
	return verdict
}

// reported is true for measurements that no run can fail.
func reported(property string) bool {
	for _, p := range checker.PropertyNames() {
		if p.Name == property {
			return p.Reported
		}
	}
	return false
}

// Sweep simulates the scenarios of many seeds, several at a time, and groups what
// it finds by its mechanism. Seeds begin in their order; scenario is called for
// several at a time. When ctx ends, or the
// limit is over, runs under way are given up, and what there is is returned. An
// error is a scenario's, or says that the seeds are none.
func Sweep(ctx context.Context, scenario func(seed int64) Scenario, o SweepOptions) (*SweepResult, error) {
	if o.From < 1 {
		return nil, fmt.Errorf("the first seed, %d, is not one or more: set SweepOptions.From", o.From)
	}
	if o.To != 0 && o.To < o.From {
		return nil, fmt.Errorf("the last seed, %d, is before the first, %d", o.To, o.From)
	}
	if o.Jobs <= 0 {
		o.Jobs = runtime.GOMAXPROCS(0)
	}
	outside := ctx
	if o.Limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Limit)
		defer cancel()
	}
	s := &sweep{options: o, scenario: scenario, next: o.From, began: time.Now(), found: make(map[string]*finds), tested: make(map[[2]string]*Tested)}
	s.result.Failed = make(map[int64]error)
	var jobs sync.WaitGroup
	for range o.Jobs {
		jobs.Go(func() { s.work(ctx) })
	}
	jobs.Wait()
	r := s.snapshot()
	r.Complete = o.To != 0 && s.next > o.To && !s.cut
	r.Interrupted = outside.Err() != nil && !r.Complete && (o.To != 0 || o.Limit > 0)
	if s.wrong != nil {
		return nil, s.wrong
	}
	return r, nil
}

// sweep is one under way.
type sweep struct {
	options  SweepOptions
	scenario func(seed int64) Scenario
	began    time.Time

	mu     sync.Mutex
	next   int64
	stop   bool
	cut    bool // a run was given up
	wrong  error
	result SweepResult
	found  map[string]*finds
	tested map[[2]string]*Tested
	told   time.Time
}

// finds is a mechanism with the smallest runs that showed it.
type finds struct {
	Found
	small []sized
}

// sized is a run's scenario, and how large the run is.
type sized struct {
	size     int
	scenario Scenario
}

// keep keeps a run if it is among the smallest, of equal ones those with the
// lowest seeds.
func (f *finds) keep(m *Simulation) {
	one := sized{len(m.History.Operations) + faultWeight*len(m.History.Faults), m.Scenario}
	place, _ := slices.BinarySearchFunc(f.small, one, func(a, b sized) int {
		return cmp.Or(cmp.Compare(a.size, b.size), cmp.Compare(a.scenario.Seed, b.scenario.Seed))
	})
	f.small = slices.Insert(f.small, place, one)
	f.small = f.small[:min(len(f.small), mostSmallest)]
}

// faultWeight is how many operations a fault is as bad as, for who has to look
// through a run.
const faultWeight = 10

const progressPause = 200 * time.Millisecond

// take returns the next seed, or false if there is none.
func (s *sweep) take(ctx context.Context) (seed int64, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop || ctx.Err() != nil || s.options.To != 0 && s.next > s.options.To {
		return 0, false
	}
	seed = s.next
	s.next++
	return seed, true
}

func (s *sweep) work(ctx context.Context) {
	var spent *history.Memory // of the run before
	for {
		seed, more := s.take(ctx)
		if !more {
			return
		}
		scenario := s.scenario(seed)
		scenario.Seed = seed
		m, err := simulate(ctx, scenario, spent)
		var again *Simulation
		if err == nil && s.options.Verify && ctx.Err() == nil {
			again, err = Simulate(ctx, scenario)
		}
		s.mu.Lock()
		s.account(ctx, seed, m, again, err)
		s.mu.Unlock()
		spent = nil
		if m != nil {
			spent = m.memory
		}
	}
}

// account takes note of a run. It is called with the lock.
func (s *sweep) account(ctx context.Context, seed int64, m, again *Simulation, err error) {
	var mistakes *ScenarioError
	switch {
	case errors.As(err, &mistakes):
		s.stop, s.wrong = true, err
		return
	case ctx.Err() != nil:
		s.cut = true
		return
	case err != nil:
		s.result.Failed[seed] = err
		s.stop = s.stop || s.options.FailFast
		return
	}
	r := &s.result
	r.Runs++
	r.Last = max(r.Last, seed)
	r.Operations += int64(len(m.History.Operations))
	r.Virtual += m.Virtual
	if again != nil && again.Digest != m.Digest {
		r.Diverged = append(r.Diverged, seed)
		s.stop = s.stop || s.options.FailFast
	}
	for i := range m.Result.Properties {
		s.count(&m.Result.Properties[i])
	}
	for _, b := range m.Result.Mechanisms() {
		f := s.found[b.Mechanism]
		if f == nil {
			f = &finds{Found: Found{Seed: seed, After: time.Since(s.began)}}
			s.found[b.Mechanism] = f
		}
		if f.Runs == 0 || seed < f.Seed {
			f.Broken, f.Seed, f.Scenario, f.Digest = b, seed, m.Scenario, m.Digest
		}
		f.Runs++
		f.keep(m)
		if s.options.FailFast && (s.options.Strict || !b.Excused) {
			s.stop = true
		}
	}
	if s.options.Progress != nil && time.Since(s.told) > progressPause {
		s.told = time.Now()
		s.options.Progress(s.view())
	}
}

func (s *sweep) count(p *checker.Property) {
	key := [2]string{p.Subject, p.Property}
	t := s.tested[key]
	if t == nil {
		t = &Tested{Subject: p.Subject, Property: p.Property}
		s.tested[key] = t
	}
	switch p.Verdict {
	case checker.Holds:
		t.Holds++
	case checker.Violated:
		t.Violated++
	case checker.Unknown:
		t.Unknown++
	default:
		t.Vacuous++
	}
}

func (s *sweep) snapshot() *SweepResult {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.view()
}

// view is the result as it is now.
func (s *sweep) view() *SweepResult {
	r := s.result
	r.Took = time.Since(s.began)
	r.Diverged = slices.Sorted(slices.Values(r.Diverged))
	r.Found, r.Tested, r.Failed = nil, nil, maps.Clone(r.Failed)
	for _, f := range s.found {
		found := f.Found
		for _, one := range f.small {
			found.Smallest = append(found.Smallest, one.scenario)
		}
		r.Found = append(r.Found, found)
	}
	slices.SortFunc(r.Found, func(a, b Found) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Seed, b.Seed), cmp.Compare(a.Mechanism, b.Mechanism))
	})
	for _, t := range s.tested {
		r.Tested = append(r.Tested, *t)
	}
	slices.SortFunc(r.Tested, func(a, b Tested) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Property, b.Property))
	})
	return &r
}

func rank(f Found) int {
	switch {
	case !f.Excused:
		return 0
	case f.Violation.Blame != checker.BlameLease:
		return 1
	default:
		return 2
	}
}

// SimulationGC is the percentage for debug.SetGCPercent with which a process that
// does nothing but simulate runs best: what a run leaves behind is garbage, and
// little of it is there at a time.
const SimulationGC = 800
