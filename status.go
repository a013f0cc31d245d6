package holdfast

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// Status is what can be said of a run while it is under way.
type Status struct {
	Stage Stage
	// Elapsed is how long there has been load, by the run's clock, and Planned for
	// how long there is to be. Elapsed stands still after the load.
	Elapsed, Planned time.Duration
	// Operations is how many have been called, and Rate how many a second of the
	// run's clock, lately.
	Operations int64
	Rate       float64
	// Faults are those under way, the oldest first, as in "isolate-leader m2".
	Faults []string
	// Leader is the member that leads, by the account of the members themselves, or
	// "" if none says so.
	Leader string
	// Overlaps is how often a hold began while another client believed in one that
	// excludes it. Nothing has been judged: where the lease of one had ended, or the
	// defect is known, the verdict may be that the property holds. Subjects whose
	// clients hold nothing are not watched, and neither are resumed leaderships.
	Overlaps int64
}

// Stage is how far a run has come.
type Stage string

// The stages of a run, in order.
const (
	StageStarting  Stage = "starting"
	StageLoad      Stage = "load"
	StageHealing   Stage = "healing"
	StageLastRound Stage = "last round"
	StageEnding    Stage = "ending"
	StageChecking  Stage = "checking"
)

// statusBeat is between two statuses.
const statusBeat = 200 * time.Millisecond

// rateWindow is for how long back Status.Rate looks.
const rateWindow = 2 * time.Second

// live is what a status is made of.
type live struct {
	mu    sync.Mutex
	stage Stage
	// clock is the run's; nil in a virtual run, whose time nobody outside can read:
	// there it is that of the last record.
	clock    *history.Clock
	last     time.Duration
	began    time.Duration
	ended    time.Duration // of the load; 0 while it lasts
	planned  time.Duration
	faults   map[int64]history.Fault
	leaders  map[string]int64 // the term of each member that says that it leads
	overlaps beliefs
	samples  []sample
}

type sample struct {
	at    time.Duration
	calls int64
}

// tell tells the status until what it returns is called. It reads the wall clock:
// the time of a run may be virtual.
func (r *run) tell() (stop func()) {
	if r.options.Status == nil {
		return func() {}
	}
	r.status = &live{stage: StageStarting, planned: r.scenario.Duration, faults: make(map[int64]history.Fault), leaders: make(map[string]int64)}
	over, told := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(told)
		ticker := time.NewTicker(statusBeat)
		defer ticker.Stop()
		for {
			r.options.Status(r.status.now(r.tally.calls.Load()))
			select {
			case <-ticker.C:
			case <-over:
				return
			}
		}
	}()
	return func() {
		close(over)
		<-told
	}
}

// watch begins to make statuses of what is recorded. A virtual clock is not read.
func (l *live) watch(clock *history.Clock, virtual bool, header *history.Header) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.overlaps = newBeliefs(header)
	if !virtual {
		l.clock = clock
	}
}

// enter notes that the run has come to a stage. It is nothing to no live.
func (l *live) enter(s Stage) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stage = s
	switch {
	case s == StageLoad:
		l.began = l.time()
	case l.ended == 0:
		l.ended = l.time()
	}
}

// hear takes in a record.
func (l *live) hear(r history.Record) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = r.Time
	l.overlaps.hear(r)
	if e := r.Event; e != nil && e.Kind == history.Leads {
		if e.Detail == leaderRole {
			l.leaders[e.Client] = e.Revision // the term
		} else {
			delete(l.leaders, e.Client)
		}
	}
}

// strike takes in a fault that was injected or healed, or could not be.
func (l *live) strike(f history.Fault) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if f.To == 0 {
		l.faults[f.ID] = f
	} else {
		delete(l.faults, f.ID)
	}
}

// time is the run's.
func (l *live) time() time.Duration {
	if l.clock == nil {
		return l.last
	}
	return l.clock.Now()
}

// now is the status now, after so many calls.
func (l *live) now(calls int64) Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Status{Stage: l.stage, Planned: l.planned, Operations: calls, Leader: l.leader(), Overlaps: l.overlaps.overlaps}
	if l.stage == StageStarting {
		return s
	}
	now := l.time()
	s.Rate = l.rate(now, calls)
	if l.ended > 0 {
		now = l.ended
	}
	s.Elapsed = now - l.began
	for _, f := range slices.SortedFunc(maps.Values(l.faults), func(a, b history.Fault) int { return int(a.From - b.From) }) {
		s.Faults = append(s.Faults, f.Kind+" "+f.Target)
	}
	return s
}

// leader is the member that leads in the latest term.
func (l *live) leader() string {
	leader := ""
	for _, member := range slices.Sorted(maps.Keys(l.leaders)) {
		if leader == "" || l.leaders[member] > l.leaders[leader] {
			leader = member
		}
	}
	return leader
}

// rate is how many calls there were a second within the window, or since there are
// any.
func (l *live) rate(now time.Duration, calls int64) float64 {
	l.samples = append(l.samples, sample{now, calls})
	for len(l.samples) > 2 && now-l.samples[1].at >= rateWindow {
		l.samples = l.samples[1:]
	}
	first := l.samples[0]
	if now <= first.at {
		return 0
	}
	return float64(calls-first.calls) / (now - first.at).Seconds()
}
