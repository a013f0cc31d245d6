package answers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast"
	"github.com/etcd-holdfast/holdfast/history"
)

// LockSetScenario is the built-in scenario that LockSet runs.
const LockSetScenario = "jepsen-lock-set"

// Unchecked is the subject that runs beside the scenario's own: a mutex that
// does not look at its own key after waiting, as etcd's did in 3.4.3
// (etcd#11456).
const Unchecked = "no-lease-check"

// LockSetOptions are what is run. The zero value works.
type LockSetOptions struct {
	// Seeds is how many runs there are, with seeds from First on; zero is 10.
	Seeds int
	First int64
	// Duration of each run; zero is the scenario's own.
	Duration time.Duration
	// Out is where run directories are made; "" is "runs".
	Out string
	// Argv is recorded in them as how they were started.
	Argv []string
	// Progress, if set, is told what is being done, and Status how far it is.
	Progress func(line string)
	Status   func(Standing)
}

// Validate reports everything that is wrong with the options.
func (o LockSetOptions) Validate() error {
	var errs []error
	if o.Seeds < 0 || o.Seeds > 1000 {
		errs = append(errs, fmt.Errorf("seeds: %d is not between 1 and 1000", o.Seeds))
	}
	if o.Duration != 0 && (o.Duration < 11*time.Second || o.Duration > time.Hour) {
		errs = append(errs, fmt.Errorf("duration: %v is not between 11s, which is time for one pause, and 1h", o.Duration))
	}
	return errors.Join(errs...)
}

// LockSet is what the protected sets lost, run by run.
type LockSet struct {
	Runs []LockSetRun
	Etcd string
}

// LockSetRun is one run.
type LockSetRun struct {
	Seed      int64  `json:"seed"`
	Directory string `json:"directory"`
	// Pauses counts the faults that had an effect which was seen.
	Pauses int       `json:"pauses"`
	Locks  []SetLoss `json:"locks"`
}

// SetLoss is what the sets under one lock lost. An update adds an element to
// the set that was read at the start of the critical section and writes it
// back.
type SetLoss struct {
	Subject string `json:"subject"`
	// Added counts the acknowledged updates of the unfenced set, Lost those whose
	// element was not in it at the end.
	Added int `json:"added"`
	Lost  int `json:"lost"`
	// FencedAdded and FencedLost are the same of the fenced set, and Refused the
	// updates that it refused.
	FencedAdded int `json:"fenced_added"`
	FencedLost  int `json:"fenced_lost"`
	Refused     int `json:"fenced_refused"`
}

// MeasureLockSet runs the scenario once for each seed, one after another, with
// Unchecked beside its own lock, under the same faults. When ctx ends what the runs
// before came to is returned beside ErrInterrupted.
func MeasureLockSet(ctx context.Context, o LockSetOptions) (*LockSet, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Seeds == 0 {
		o.Seeds = 10
	}
	if o.First == 0 {
		o.First = 1
	}
	result := &LockSet{}
	now := Standing{Planned: o.Seeds}
	for seed := o.First; seed < o.First+int64(o.Seeds); seed++ {
		s, err := lockSetScenario(seed, o.Duration)
		if err != nil {
			return nil, err
		}
		if o.Status != nil {
			now.Now = fmt.Sprintf("seed %d, for %v", seed, s.Duration)
			o.Status(now)
		}
		judgement, err := holdfast.Run(ctx, s, holdfast.RunOptions{Out: o.Out, Argv: o.Argv})
		if err = interrupted(ctx, err); err == nil && judgement.Info.Ended != holdfast.EndedComplete {
			err = fmt.Errorf("the run did not come to its end: %s", judgement.Info.Ended)
		}
		if err != nil {
			err = fmt.Errorf("seed %d: %w", seed, err)
			if errors.Is(err, ErrInterrupted) && len(result.Runs) > 0 {
				return result, err
			}
			return nil, err
		}
		run, err := lockSetRun(judgement.Report.History)
		if err != nil {
			return nil, fmt.Errorf("seed %d: %s: %w", seed, judgement.Directory, err)
		}
		run.Seed, run.Directory = seed, judgement.Directory
		result.Etcd = judgement.Info.Etcd
		result.Runs = append(result.Runs, run)
		now.Done, now.SoFar = now.Done+1, lossesSoFar(result)
		if o.Progress != nil {
			line := fmt.Sprintf("seed %d, %d pauses:", seed, run.Pauses)
			for _, l := range run.Locks {
				line += fmt.Sprintf(" %s lost %d of %d, fenced %d of %d;", l.Subject, l.Lost, l.Added, l.FencedLost, l.FencedAdded)
			}
			o.Progress(line + " " + run.Directory)
		}
	}
	return result, nil
}

// lossesSoFar counts what each lock's unfenced sets lost.
func lossesSoFar(l *LockSet) string {
	var all []string
	for _, one := range l.Losses() {
		all = append(all, fmt.Sprintf("%s lost %d of %d", one.Subject, one.Lost, one.Added))
	}
	return strings.Join(all, ", ")
}

// lockSetScenario is the scenario with Unchecked beside its lock.
func lockSetScenario(seed int64, duration time.Duration) (holdfast.Scenario, error) {
	s, err := holdfast.BuiltinScenario(LockSetScenario)
	if err != nil {
		return s, err
	}
	s.Seed = seed
	if duration != 0 {
		s.Duration = duration
	}
	beside := s.Workloads[0]
	beside.Subject = Unchecked
	s.Workloads = append(s.Workloads, beside)
	return s, nil
}

// lockSetRun reads the losses off a run's history.
func lockSetRun(h *history.History) (LockSetRun, error) {
	var run LockSetRun
	for i := range h.Faults {
		if h.Faults[i].Verified {
			run.Pauses++
		}
	}
	for _, subject := range h.Header.Subjects {
		loss := SetLoss{Subject: subject.Name}
		var unfenced, fenced error
		loss.Added, loss.Lost, _, unfenced = setLoss(h.Operations, subject.Name, history.Read, history.Write)
		loss.FencedAdded, loss.FencedLost, loss.Refused, fenced = setLoss(h.Operations, subject.Name, history.FencedRead, history.FencedWrite)
		if err := errors.Join(unfenced, fenced); err != nil {
			return run, fmt.Errorf("%s: %w", subject.Name, err)
		}
		run.Locks = append(run.Locks, loss)
	}
	return run, nil
}

// errNoFinalRead says that what a set had in it at the end is not known.
var errNoFinalRead = errors.New("the record has no read of a set after its last update")

// setLoss plays the updates of one subject's resources as updates of sets:
// each writes back the set that its client had read, Prior, with its own
// element, Value, added. What the last read of a resource does not have in it
// is lost.
func setLoss(operations []history.Operation, subject string, read, write history.Kind) (added, lost, refused int, err error) {
	type update struct{ object, value string }
	prior := make(map[update]string)
	last := make(map[string]*history.Operation)
	written := make(map[string]int64) // the last position of a write, by object
	var acknowledged []update
	for i := range operations {
		op := &operations[i]
		if op.Subject != subject {
			continue
		}
		u := update{op.Object, op.Value}
		switch {
		case op.Kind == read && op.Outcome == history.Ok:
			if final := last[op.Object]; final == nil || op.Revision > final.Revision {
				last[op.Object] = op
			}
		case op.Kind == write && op.Outcome == history.Fail:
			refused++
		case op.Kind == write:
			prior[u] = op.Prior
			written[op.Object] = max(written[op.Object], op.Revision)
			if op.Outcome == history.Ok {
				acknowledged = append(acknowledged, u)
			}
		}
	}
	sets := make(map[string]map[string]bool) // at the end, by object
	for object, final := range last {
		set := make(map[string]bool)
		for value := final.Value; value != "" && !set[value]; value = prior[update{object, value}] {
			set[value] = true
		}
		sets[object] = set
	}
	for _, u := range acknowledged {
		if final := last[u.object]; final == nil || final.Revision < written[u.object] {
			return 0, 0, 0, errNoFinalRead
		}
		if !sets[u.object][u.value] {
			lost++
		}
	}
	return len(acknowledged), lost, refused, nil
}

// Spread is the smallest, middle and largest share of some runs, in percent.
type Spread struct {
	Min    float64 `json:"min_percent"`
	Median float64 `json:"median_percent"`
	Max    float64 `json:"max_percent"`
}

func spreadOf(shares []float64) Spread {
	if len(shares) == 0 {
		return Spread{}
	}
	sorted := slices.Sorted(slices.Values(shares))
	n := len(sorted)
	return Spread{Min: sorted[0], Median: (sorted[(n-1)/2] + sorted[n/2]) / 2, Max: sorted[n-1]}
}
