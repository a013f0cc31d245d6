package holdfast

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/faults"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/internal/offspring"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// runPrefix is before every key of a run whose cluster is its own.
const runPrefix = "holdfast/"

const (
	startPatience = 60 * time.Second
	stopPatience  = 30 * time.Second
	statusPause   = 5 * time.Second
)

// Run launches the scenario's cluster, runs its workloads while it injects its
// faults, writes the run directory, and judges it. When ctx ends, the run heals
// its faults, lets its clients end, and judges what there is.
//
// A faulty scenario is returned as a *ScenarioError before anything is
// started. Any other error means that the harness itself failed; if the run
// directory could be judged, the judgement is returned beside the error.
func Run(ctx context.Context, s Scenario, o RunOptions) (*Judgement, error) {
	if role := offspring.Role(); role != "" {
		return nil, fmt.Errorf("this process is to be the %s of another run, and began one of its own: call holdfast.Subprocess before all else, in main or TestMain", role)
	}
	programs, err := s.askPrograms(ctx)
	if err != nil {
		return nil, err
	}
	defer programs.close()
	s = s.completed()
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if err := s.available(ctx); err != nil {
		return nil, err
	}
	if s.Seed == 0 {
		s.Seed = time.Now().UnixNano()&(1<<31-1) | 1
	}
	if o.Out == "" {
		o.Out = "runs"
	}
	text, err := s.YAML()
	if err != nil {
		return nil, err
	}
	info := newInfo(&s, o.Argv, o.Strict)
	d, err := newDirectory(o.Out, &info, text)
	if err != nil {
		return nil, err
	}
	r := &run{scenario: &s, options: o, info: &info, directory: d}
	defer r.tell()()
	r.say("run directory %s", d.path)
	r.tellLeftOut()
	programs.keepLogs(d.path, r.now)
	fault := r.live(ctx)
	if r.record != nil && r.record.memory != nil {
		info.Digest = r.record.memory.Digest().String()
	}
	info.Ended = EndedComplete
	switch {
	case fault != nil:
		info.Ended = "failed: " + fault.Error()
	case r.interrupted:
		info.Ended = EndedInterrupted
	}
	if err := errors.Join(d.writeInfo(&info), d.close()); err != nil {
		fault = errors.Join(fault, err)
	}
	if r.compress() {
		fault = errors.Join(fault, d.writeInfo(&info))
	}
	r.say("checking")
	r.status.enter(StageChecking)
	j, err := Judge(d.path, o.Strict)
	if err != nil {
		return nil, errors.Join(fault, err)
	}
	return j, errors.Join(fault, j.Write())
}

// run is one run under way.
type run struct {
	scenario  *Scenario
	options   RunOptions
	info      *Info
	directory *directory

	// spent is the memory of a run whose space this one may take, if any.
	spent *history.Memory
	// plan is the scenario's.
	plan []faults.Planned

	// prefix is before every key of the run, and login is as whom its clients ask.
	prefix string
	login  workloads.Login

	clock    *history.Clock
	record   *record
	recorder *history.Recorder
	cluster  cluster.Cluster
	observer *observer
	// estate is what the run has in a cluster that is not its own, or nil.
	estate *estate
	// commander runs the commands of hooks, if there are some.
	commander *commander
	lookout   *faults.Lookout
	world     *faults.World
	crews     []*workloads.Crew
	// nursery starts the clients, if they are not to be in this process.
	nursery nursery
	tally   tally
	// status is what a status is made of; nil if nobody wants one.
	status  *live
	awaited awaited
	// conductor carried out the plan of faults.
	conductor *faults.Conductor
	// interrupted is true if ctx ended before the run was complete.
	interrupted bool
	// stopped is true once the outside wants a virtual run to end, and interrupt
	// ends it; both are nil in any other.
	stopped   func() bool
	interrupt func()
	// standstill is how long a virtual run may do nothing; zero is the usual time.
	standstill time.Duration

	mu sync.Mutex
	// struck are the faults that were told of, as they were told last.
	struck map[int64]history.Fault
	// links are those of the clients that are connected.
	links map[string][]cluster.Link
}

func (r *run) say(format string, args ...any) {
	if r.options.Progress == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.options.Progress(fmt.Sprintf(format, args...))
}

// warn keeps what went wrong while healing or tearing down: it is reported
// beside the verdict.
func (r *run) warn(what string, err error) {
	if err == nil {
		return
	}
	r.say("warning: %s: %v", what, err)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.info.Warnings = append(r.info.Warnings, fmt.Sprintf("%s: %v", what, err))
}

// compress makes large journals small. It returns true if there is a warning
// more.
func (r *run) compress() bool {
	before := len(r.info.Warnings)
	for _, name := range []string{HistoryFile, RevisionsFile} {
		r.warn("make the run directory small", compress(r.directory.path, name, compressAbove))
	}
	return len(r.info.Warnings) > before
}

// run does all between the empty and the full run directory. Its error is of
// the harness itself.
func (r *run) run(ctx context.Context) (err error) {
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	r.plan = r.scenario.Plan()
	if err := r.start(ctx, life); err != nil {
		r.stop()
		if ctx.Err() != nil { // before there was anything to judge
			r.interrupted = true
			return nil
		}
		return err
	}
	defer r.stop()

	heal, final := make(chan struct{}), make(chan struct{})
	r.hire(heal, final)
	if r.conductor, err = r.newConductor(); err != nil {
		return err
	}
	if r.commander != nil {
		var release func()
		r.world.Interrupted, ctx, release = interruption(ctx)
		defer release()
	}
	defer r.lookout.Close()
	r.phase(history.PhaseLoad)
	for _, c := range r.crews {
		c.Start(life)
	}
	r.awaitClients(ctx)
	healed, fault := r.load(ctx)
	r.interrupted = ctx.Err() != nil
	release := func(context.Context) error { return nil }
	if healed && !r.interrupted && fault == nil && len(r.scenario.Survivable) > 0 {
		release, healed = r.survive(ctx)
	}
	if healed { // else nobody can be expected to make progress
		r.phase(history.PhaseHealed)
	} else {
		r.turn()
	}
	close(heal)
	finished := r.awaitLastRound(ctx, healed)
	if finished {
		r.phase(history.PhaseFinal)
	}
	r.warn("heal", release(ctx))
	r.status.enter(StageEnding)
	close(final)
	r.end(cancel)
	within, done := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
	defer done()
	r.warn("complete the revision log", r.observer.catchUp(within))
	if finished {
		r.phase(history.PhaseEnd)
	}
	r.recorder.Seal()
	return errors.Join(fault, r.crewFailure(), r.recorder.Err())
}

// end waits until every client has ended, kills those that will not, and makes
// the last reads.
func (r *run) end(kill func()) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for _, c := range r.crews {
			c.Wait()
		}
	}()
	timer := time.NewTimer(2*r.scenario.longestTTL() + time.Second)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	}
	kill()
	<-ended
	for _, c := range r.crews {
		if n := c.Stuck(); n > 0 {
			r.warn("end the clients of "+c.Subject(), fmt.Errorf("%d of them never returned from a call, though its context had ended and its connection was closed", n))
		}
		c.Conclude("harness")
		r.info.Rounds = merged(r.info.Rounds, c.Rounds())
	}
}

// merged adds counts of other clients to counts.
func merged(counts, more map[string]int) map[string]int {
	if counts == nil {
		return more
	}
	maps.Copy(counts, more)
	return counts
}

// crewFailure is the failure of the harness that a crew met, if any.
func (r *run) crewFailure() error {
	var faults []error
	for _, c := range r.crews {
		select {
		case err := <-c.Failed():
			faults = append(faults, err)
		default:
		}
	}
	return errors.Join(faults...)
}

// start brings up the cluster, the record and the observer.
func (r *run) start(ctx, life context.Context) error {
	if r.scenario.Cluster.shared() {
		r.say("connecting to %s", strings.Join(r.scenario.Cluster.Endpoints, ", "))
	} else {
		r.say("starting %d etcd members (%s)", r.scenario.Cluster.Members, r.scenario.Cluster.Kind)
	}
	if err := r.makeNursery(ctx); err != nil {
		return err
	}
	backend, _ := backendOf(r.scenario.Cluster.Kind) // validated
	r.prefix = r.scenario.prefix()
	var err error
	if r.login, err = r.scenario.Cluster.login(); err != nil {
		return err
	}
	if err := r.makeCommander(); err != nil {
		return err
	}
	c, err := r.launch(ctx, backend)
	if err != nil {
		return fmt.Errorf("start the cluster: %w", err)
	}
	r.cluster = c
	r.clock = history.NewClock()
	if err := r.begun(c.Version()); err != nil {
		return err
	}
	if err := r.settle(ctx); err != nil {
		return err
	}
	header := history.Header{Prefix: r.prefix, Shared: r.scenario.Cluster.shared()}
	for _, w := range r.scenario.Workloads {
		subject, _ := r.scenario.subject(w.Subject) // validated
		header.Subjects = append(header.Subjects, history.SubjectInfo{
			Name: subject.Name, Primitive: subject.Primitive(), Origin: subject.Origin, About: subject.Summary, Layout: subject.Layout,
			Permits: subject.PermitsOf(&w.Traffic), Whole: subject.WholeOf(), Promise: subject.Promise, Scripted: len(w.Script) > 0, Program: subject.Attach != nil,
		})
	}
	if r.record, err = newRecord(r.directory, r.clock, header, backend.virtual, r.spent); err != nil {
		return err
	}
	r.recorder = r.record.recorder
	r.status.watch(r.clock, backend.virtual, &header)
	if sequencer, ok := c.(cluster.Sequencer); ok {
		r.recorder.TakeTurns(sequencer.Turn, sequencer.Still)
	}
	r.lookout = faults.NewLookout(r.clock, r.prefix)
	r.recorder.Listen(func(record history.Record) {
		r.lookout.Hear(record)
		r.tally.hear(record)
		r.status.hear(record)
	})
	r.observer, err = startObserver(life, c, r.prefix, header.Shared, r.login, r.recorder, r.record.revisions, r.watchOver(r.lookout.Changed), r.mourn)
	if err != nil || r.estate == nil {
		return err
	}
	return r.estate.hold(ctx) // nobody watched it until now
}

// newConductor makes ready to carry out the plan of faults: what the faults wait
// for is noted from now on.
func (r *run) newConductor() (*faults.Conductor, error) {
	r.world = &faults.World{Cluster: r.cluster, Clients: r, Admin: r.observer.admin, Prefix: r.prefix, LeaseOf: r.lookout.LeaseOf, Run: r.scenario.Name, Hooks: r.scenario.Hooks}
	if r.commander != nil {
		r.world.Commander = r.commander
	}
	if sequencer, ok := r.cluster.(cluster.Sequencer); ok {
		r.world.Turn = func(fault string) { sequencer.Turn(fault, false, nil) }
	}
	c := &faults.Conductor{
		World: r.world, Lookout: r.lookout, Journal: r.record.faults, Clock: r.clock, Report: r.sayFault,
	}
	return c, c.Arm(r.plan)
}

// load lets clients work and faults strike until the time is over, ctx ends,
// or the harness fails. It returns whether every fault was healed.
func (r *run) load(ctx context.Context) (healed bool, err error) {
	within, cancel := context.WithTimeout(ctx, r.scenario.Duration)
	defer cancel()
	plan := r.plan
	r.say("load for %v, seed %d: %d workloads, %d clients, %d faults planned",
		r.scenario.Duration, r.scenario.Seed, len(r.crews), len(r.Slots("")), len(plan))
	r.conductor.Began = r.clock.Now()
	r.status.enter(StageLoad)
	harmed := make(chan error, 1)
	go func() { harmed <- r.conductor.Run(within, plan) }()
	failed, played := r.failures(within), r.played()
	ticker := time.NewTicker(statusPause)
	defer ticker.Stop()
	for waiting := true; waiting; {
		select {
		case <-within.Done():
			waiting = false
		case err = <-failed:
			waiting = false
		case <-played:
			waiting = false
		case <-ticker.C:
			if r.status == nil {
				r.say("%s", r.tally.String(r.clock.Now()))
			}
		}
	}
	cancel()
	r.status.enter(StageHealing)
	if ctx.Err() != nil {
		r.say("interrupted: healing, then judging what there is")
	}
	unhealed := <-harmed
	r.warn("heal", unhealed)
	r.warn("write the record of faults", r.conductor.Journal.Err())
	return unhealed == nil, err
}

// survive brings the cluster into the state in which the last round is to be
// made. It returns what ends that state, and false if a fault that was injected
// in part could not be healed.
func (r *run) survive(ctx context.Context) (release func(context.Context) error, healed bool) {
	r.say("all is healed; leaving %s for the last round", strings.Join(r.scenario.Survivable, ", "))
	release, err := r.conductor.Keep(ctx, r.scenario.survivable(r.plan))
	r.warn("heal", err)
	r.phase(history.PhaseSurvivable)
	return release, err == nil
}

// awaitLastRound waits until every client has made its last round, no longer
// than the quiet time. It returns false if ctx ended while it waited: then
// nothing follows from a round that is not finished.
func (r *run) awaitLastRound(ctx context.Context, healed bool) bool {
	r.status.enter(StageLastRound)
	how := "healed"
	if !healed {
		how = "not all could be healed, so progress is not judged"
	}
	r.say("%s; waiting up to %v for every client's last round", how, r.scenario.Quiet)
	interrupt := ctx.Done()
	if r.interrupted { // the run is being ended in good order already
		interrupt = nil
	}
	timer := time.NewTimer(r.scenario.Quiet)
	defer timer.Stop()
	over := false
	for _, c := range r.crews {
		finished := c.Finished()
		for waiting := !over; waiting; {
			select {
			case <-finished:
				waiting = false
			case <-timer.C:
				over, waiting = true, false
			case <-interrupt:
				r.interrupted = true
				r.say("interrupted: judging what there is")
				return false
			}
		}
		select {
		case <-finished:
		default:
			r.say("clients of %s did not finish their last round", c.Subject())
		}
	}
	return true
}

// turn returns when it is the harness's turn to do what clients can see, where the
// cluster decides that: what makes it do so, such as the end of the last round, it
// is often told by a client that goes on meanwhile.
func (r *run) turn() {
	if sequencer, ok := r.cluster.(cluster.Sequencer); ok {
		sequencer.Turn("harness", false, nil)
	}
}

func (r *run) phase(name string) {
	r.turn()
	r.recorder.Event(history.Event{Kind: history.PhaseBegan, Detail: name})
}

func (s *Scenario) longestTTL() time.Duration {
	longest := time.Duration(0)
	for _, w := range s.Workloads {
		longest = max(longest, w.TTL)
	}
	return longest
}

// stop tears down what was started.
func (r *run) stop() {
	if r.commander != nil {
		r.warn("end the commands of hooks", r.commander.close())
	}
	if r.nursery != nil {
		r.warn("end the clients", r.nursery.close())
	}
	if r.observer != nil {
		r.warn("end the observation", r.observer.close())
	}
	if r.estate != nil {
		r.warn("leave the cluster as it was", r.abandonEstate())
	}
	if r.cluster != nil {
		r.warn("stop the cluster", r.cluster.Close())
	}
}
