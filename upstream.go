package holdfast

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/reports"
)

// upstreamCatalogue is before the names of the scenarios that each reproduce a
// known defect of etcd's client primitives.
const upstreamCatalogue = "upstream/"

// UpstreamScenarios returns the names of the scenarios of the upstream
// catalogue, for BuiltinScenario.
func UpstreamScenarios() []string {
	return slices.DeleteFunc(BuiltinScenarios(), func(name string) bool { return !strings.HasPrefix(name, upstreamCatalogue) })
}

// CatalogueOptions are how a catalogue is run. The zero value runs all of it
// once.
type CatalogueOptions struct {
	// Names choose scenarios, with or without the catalogue's own name before
	// them; none is all.
	Names []string
	// Runs is how often each is run; zero is once.
	Runs int
	// Jobs is how many run at a time; zero is two.
	Jobs int
	// Out is the directory below which the run directories are made; "" is
	// "runs".
	Out string
	// Argv is recorded as how the runs were started.
	Argv []string
	// Progress, if set, is told of every run that has ended. It is called from
	// several goroutines, one call at a time.
	Progress func(line string)
	// Status, if set, is told how far the runs are whenever one begins or has ended,
	// one call at a time.
	Status func(Standing)
}

// RunUpstream runs the upstream catalogue: every scenario shows a known defect
// on one subject, recognised by its mechanism, and runs a corrected subject
// beside it, on which nothing may show. Rows are in the order of the scenarios'
// names. An error is of the harness itself; rows that could be judged are
// returned beside it.
func RunUpstream(ctx context.Context, o CatalogueOptions) ([]reports.TrackRecord, error) {
	names, err := chosen(UpstreamScenarios(), o.Names)
	if err != nil {
		return nil, err
	}
	rows, scenarios := make([]reports.TrackRecord, len(names)), make([]Scenario, len(names))
	for i, name := range names {
		if scenarios[i], err = BuiltinScenario(name); err != nil {
			return nil, err
		}
		rows[i] = upstreamRow(&scenarios[i])
	}
	var (
		mu     sync.Mutex
		faults []error
		group  sync.WaitGroup
	)
	turns := make(chan struct{}, cmp.Or(o.Jobs, 2))
	stand := newStand(len(names)*cmp.Or(o.Runs, 1), o.Status)
	for i, name := range names {
		for n := range cmp.Or(o.Runs, 1) {
			group.Go(func() {
				select {
				case turns <- struct{}{}:
					defer func() { <-turns }()
				case <-ctx.Done():
					return
				}
				if ctx.Err() != nil {
					return
				}
				s := scenarios[i]
				s.Seed = int64(n + 1)
				short := strings.TrimPrefix(name, upstreamCatalogue)
				stand.begin(short)
				j, err := Run(ctx, s, RunOptions{Out: filepath.Join(cmp.Or(o.Out, "runs"), "upstream"), Argv: o.Argv})
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					faults = append(faults, fmt.Errorf("%s: %w", name, err))
				}
				if j == nil || ctx.Err() != nil {
					stand.end(short, func(now *Standing) { count(&now.Done, ctx.Err() == nil) })
					return
				}
				trial := j.trial(rows[i].Subject, rows[i].Known)
				line := rows[i].Add(trial)
				if o.Progress != nil {
					o.Progress(fmt.Sprintf("%-28s %s", short, line))
				}
				stand.end(short, func(now *Standing) { now.judge(trial.Found, len(trial.Alarms) > 0) })
			})
		}
	}
	group.Wait()
	return rows, errors.Join(append(faults, ctx.Err())...)
}

// chosen are those of all names that were chosen.
func chosen(all, names []string) ([]string, error) {
	if len(names) == 0 {
		return all, nil
	}
	var chosen []string
	for _, name := range names {
		i := slices.IndexFunc(all, func(n string) bool { return n == name || n[strings.Index(n, "/")+1:] == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no %q in the catalogue; see: holdfast list scenarios", name)
		}
		chosen = append(chosen, all[i])
	}
	slices.Sort(chosen)
	return slices.Compact(chosen), nil
}

// upstreamRow is the row of a scenario that reproduces one defect.
func upstreamRow(s *Scenario) reports.TrackRecord {
	row := reports.TrackRecord{Name: s.Name, Mechanism: s.Summary}
	for _, subject := range slices.Sorted(maps.Keys(s.Expect.Reproduces)) {
		row.Subject, row.Known = subject, s.Expect.Reproduces[subject][0]
	}
	for _, w := range s.Workloads {
		if w.Subject != row.Subject {
			row.Controls = append(row.Controls, w.Subject)
		}
	}
	if subject, ok := s.subject(row.Subject); ok {
		row.Primitive = string(subject.Primitive())
	}
	if number, ok := strings.CutPrefix(row.Known, "etcd#"); ok {
		row.Issue = number
	}
	return row
}

// trial is what one run showed: the defect on its subject, and whatever there
// was on the others.
func (j *Judgement) trial(subject, known string) reports.Trial {
	t := reports.Trial{Directory: j.Directory, Etcd: j.Info.Etcd}
	result := j.Result()
	for i := range result.Properties {
		p := &result.Properties[i]
		for _, v := range p.Violations {
			switch {
			case p.Subject != subject && v.Known == known && j.etcds(p.Subject): // it shows there, too
			case p.Subject != subject:
				t.Alarms = append(t.Alarms, fmt.Sprintf("%s %s: %s", p.Subject, p.Property, v.Sentence))
			case v.Known == known:
				if at := v.To - j.began(); !t.Found || at < t.After {
					t.Found, t.After, t.Property, t.Sentence = true, at, p.Property, v.Sentence
				}
			case v.Known == "" && v.Blame != checker.BlameLease:
				t.Alarms = append(t.Alarms, fmt.Sprintf("%s %s: %s", p.Subject, p.Property, v.Sentence))
			}
		}
		if p.Subject != subject && p.Verdict == checker.Unknown {
			t.Alarms = append(t.Alarms, fmt.Sprintf("%s %s is unknown: %s", p.Subject, p.Property, p.Sentence))
		}
	}
	if result.Verdict == checker.Unknown || result.Verdict == checker.Vacuous {
		t.Notes = result.Notes
	}
	return t
}

// etcds is true if a subject of the run is etcd's own.
func (j *Judgement) etcds(name string) bool {
	subject, ok := j.Scenario.subject(name)
	return ok && subject.Origin == history.FromEtcd
}

// began is when the load of the run began.
func (j *Judgement) began() time.Duration {
	at, _ := j.Report.History.Phase(history.PhaseLoad)
	return at
}
