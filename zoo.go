package holdfast

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/broken"
	"github.com/etcd-holdfast/holdfast/workloads/recipes"
)

// The zoo is where holdfast is put to the test itself: planted bugs, each of
// which it has to find, and correct subjects, with which it has to stay silent,
// all under the scenario of TortureScenario.

// ZooOptions say which animals are looked at and for how long. The zero value
// is all of them, each until it is found.
type ZooOptions struct {
	// Names are the planted bugs and controls to run; none is all.
	Names []string
	// Runs, if not zero, is how often each is run, found or not. Zero runs each
	// planted bug until it is found, but no longer than Limit, and each control
	// once.
	Runs int
	// Limit is how long, on the runs' clocks, a planted bug is under load before
	// it is given up; zero is a minute. A run that has begun is ended.
	Limit time.Duration
	// Seed is the seed of the first run, and each run has the next; zero is 1.
	Seed int64
	// Together is how many subjects share a cluster; zero is 12. More are quicker
	// until the machine is too slow for its own timeouts.
	Together int
	// Out and Progress are as in RunOptions. Note, if set, is told in a line
	// what each run of the zoo is and has found.
	Out            string
	Progress, Note func(line string)
	// Status, if set, is told how far the zoo is whenever a run begins or has ended.
	Status func(Standing)
}

// Finding is what the zoo found out about one subject.
type Finding struct {
	Subject   string `json:"subject"`
	Primitive string `json:"primitive"`
	// Wrong says what a planted bug gets wrong, or what a control is.
	Wrong string `json:"wrong"`
	// Planted is false for controls.
	Planted bool `json:"planted"`
	// Expected are the properties that the bug breaks, and Twin the control of
	// the same design, if there is one.
	Expected []string `json:"expected,omitempty"`
	Twin     string   `json:"twin,omitempty"`
	// Runs is how many runs there were, and Found in how many of them an
	// expected property was violated with the subject to blame.
	Runs  int `json:"runs"`
	Found int `json:"found"`
	// By are the expected properties that were, Also the others.
	By   []string `json:"by,omitempty"`
	Also []string `json:"also,omitempty"`
	// Seconds is the time on the runs' clocks until the end of the first such
	// violation; zero if there was none. Sentence tells it.
	Seconds  float64 `json:"seconds,omitempty"`
	Sentence string  `json:"sentence,omitempty"`
	// Undecided are the properties of a control that could not be judged or
	// were not put to the test.
	Undecided []string `json:"undecided,omitempty"`
	// Open is true if the zoo ended before it was decided.
	Open bool `json:"open,omitempty"`
	// Directories are the run directories.
	Directories []string `json:"directories"`

	// spent is the time on its runs' clocks, loaded the part of it under load.
	spent, loaded time.Duration
}

// Good is true if a planted bug was found, or a control raised nothing.
func (f *Finding) Good() bool {
	if f.Planted {
		return f.Found > 0
	}
	return f.Runs > 0 && len(f.By) == 0 && len(f.Also) == 0
}

// ZooSubjects returns the planted bugs and the controls: correct twins of the
// bugs, and those of etcd's own subjects, and of the corrected ones, that have
// no known defect which the scenario would show.
func ZooSubjects() (planted []broken.Specimen, controls []workloads.Subject) {
	controls = broken.Twins()
	for _, s := range recipes.Subjects() {
		if slices.Contains([]string{
			"mutex", "mutex-checked", "rwmutex-checked", "election-checked", "semaphore", "service", "barrier-checked",
			"double-barrier-checked", "queue-checked", "priority-queue-checked", "stm-serializable-snapshot", "kv-register",
		}, s.Name) {
			controls = append(controls, s)
		}
	}
	return broken.Specimens(), controls
}

// Zoo runs the zoo. The findings come in the order of ZooSubjects. Its error is
// a mistake in the options, a failure of the harness or ErrInterrupted; what was
// found until then is returned beside it. When ctx ends, so does the zoo.
func Zoo(ctx context.Context, o ZooOptions) ([]Finding, error) {
	if o.Limit == 0 {
		o.Limit = time.Minute
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.Together == 0 {
		o.Together = 12
	}
	z := &zoo{options: o, subjects: make(map[string]workloads.Subject)}
	if err := z.choose(); err != nil {
		return nil, err
	}
	for round := 0; ; round++ {
		due := z.due()
		if len(due) == 0 {
			z.stand(nil)
			return z.findings, nil
		}
		for batch := range slices.Chunk(due, o.Together) {
			if err := z.run(ctx, batch, o.Seed+int64(round), patientRepeats); err != nil {
				for _, f := range z.due() {
					f.Open = true
				}
				return z.findings, err
			}
		}
	}
}

// ErrInterrupted says that a series of runs was ended before it was through.
var ErrInterrupted = errors.New("interrupted")

type zoo struct {
	options  ZooOptions
	subjects map[string]workloads.Subject
	findings []Finding
}

// choose makes an empty finding for each subject that was asked for.
func (z *zoo) choose() error {
	planted, controls := ZooSubjects()
	var names []string
	wanted := func(s workloads.Subject) bool {
		names = append(names, s.Name)
		z.subjects[s.Name] = s
		return len(z.options.Names) == 0 || slices.Contains(z.options.Names, s.Name)
	}
	for _, s := range planted {
		if wanted(s.Subject) {
			z.findings = append(z.findings, Finding{
				Subject: s.Name, Primitive: string(s.Primitive()), Wrong: s.Summary, Planted: true, Expected: s.Breaks, Twin: s.Twin,
			})
		}
	}
	for _, s := range controls {
		if wanted(s) {
			z.findings = append(z.findings, Finding{Subject: s.Name, Primitive: string(s.Primitive()), Wrong: s.Summary})
		}
	}
	for _, name := range z.options.Names {
		if !slices.Contains(names, name) {
			return &SelectionError{What: "subject in the zoo", Name: name, Have: names}
		}
	}
	return nil
}

// settled is true if a finding needs no further run.
func (z *zoo) settled(f *Finding) bool {
	switch {
	case z.options.Runs > 0:
		return f.Runs >= z.options.Runs
	case f.Planted:
		return f.Found > 0 || f.loaded >= z.options.Limit
	default:
		return f.Runs > 0
	}
}

// stand tells how far the zoo is while these run.
func (z *zoo) stand(batch []*Finding) {
	if z.options.Status == nil {
		return
	}
	now := Standing{Planned: len(z.findings)}
	for i := range z.findings {
		f := &z.findings[i]
		settled := z.settled(f)
		count(&now.Done, settled)
		count(&now.Found, f.Planted && f.Found > 0)
		count(&now.Missed, f.Planted && f.Found == 0 && settled)
		count(&now.Alarms, !f.Planted && f.Runs > 0 && !f.Good())
	}
	for _, f := range batch {
		now.Running = append(now.Running, f.Subject)
	}
	z.options.Status(now)
}

// due are the findings that need another run, mixed so that those of one kind
// do not all share a cluster.
func (z *zoo) due() []*Finding {
	var due []*Finding
	for i := range z.findings {
		if f := &z.findings[i]; !z.settled(f) {
			due = append(due, f)
		}
	}
	batches := (len(due) + z.options.Together - 1) / z.options.Together
	mixed := make([]*Finding, 0, len(due))
	for first := range batches {
		for i := first; i < len(due); i += batches {
			mixed = append(mixed, due[i])
		}
	}
	return mixed
}

// A run during which the machine kept this process waiting for longer than
// lateLimit, or took lateHeal longer to heal than it should, says more about the
// machine than about the subjects: etcd's own timeouts are shorter. It is not
// counted, and its subjects are run again, half of them at a time, so often.
const (
	lateLimit      = time.Second
	lateHeal       = 8 * time.Second
	patientRepeats = 2
)

// run runs some subjects side by side and takes note of what is found.
func (z *zoo) run(ctx context.Context, batch []*Finding, seed int64, repeats int) error {
	var subjects []workloads.Subject
	for _, f := range batch {
		subjects = append(subjects, z.subjects[f.Subject])
	}
	scenario := TortureScenario(subjects...)
	scenario.Name, scenario.Seed = "zoo", seed
	z.say("seed %d: %s", seed, namesOf(batch, func(*Finding) bool { return true }))
	z.stand(batch)
	p := startPulse(ctx)
	j, err := Run(ctx, scenario, RunOptions{Out: z.options.Out, Argv: []string{"holdfast", "zoo"}, Progress: z.options.Progress})
	late := p.end()
	if err != nil && !(ctx.Err() != nil && errors.Is(err, ctx.Err())) {
		return fmt.Errorf("run %d subjects of the zoo: %w", len(batch), err)
	}
	if ctx.Err() != nil {
		if j == nil {
			return ErrInterrupted
		}
		for _, f := range batch { // what was found until then is found; of what was not nothing is known
			if f.Planted && f.shows(j) {
				f.note(j)
			}
		}
		return ErrInterrupted
	}
	healed, _ := j.Report.History.Phase(history.PhaseHealed)
	if delay := healed - scenario.Duration; (late > lateLimit || delay > lateHeal) && repeats > 0 {
		z.say("the machine was too slow: %v late, healed after %v; not counted, and run again in halves", late.Round(time.Millisecond), delay.Round(time.Millisecond))
		for half := range slices.Chunk(batch, (len(batch)+1)/2) {
			if err := z.run(ctx, half, seed, repeats-1); err != nil {
				return err
			}
		}
		return nil
	}
	for _, f := range batch {
		f.note(j)
	}
	z.say("found: %s; not yet: %s; false alarms: %s",
		namesOf(batch, func(f *Finding) bool { return f.Planted && f.Found > 0 }),
		namesOf(batch, func(f *Finding) bool { return f.Planted && f.Found == 0 }),
		namesOf(batch, func(f *Finding) bool { return !f.Planted && !f.Good() }))
	return nil
}

func (z *zoo) say(format string, args ...any) {
	if z.options.Note != nil {
		z.options.Note(fmt.Sprintf(format, args...))
	}
}

// namesOf lists the subjects of some of the findings.
func namesOf(findings []*Finding, of func(*Finding) bool) string {
	var list []string
	for _, f := range findings {
		if of(f) {
			list = append(list, f.Subject)
		}
	}
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// shows is true if a run has found the planted bug.
func (f *Finding) shows(j *Judgement) bool {
	for i := range j.Result().Properties {
		p := &j.Result().Properties[i]
		if p.Subject == f.Subject && slices.Contains(f.Expected, p.Property) && guilty(p, true) != nil {
			return true
		}
	}
	return false
}

// note adds what a run showed of the subject.
func (f *Finding) note(j *Judgement) {
	var first *checker.Violation
	for i := range j.Result().Properties {
		p := &j.Result().Properties[i]
		if p.Subject != f.Subject {
			continue
		}
		v := guilty(p, f.Planted)
		switch {
		case v == nil:
			if !f.Planted && (p.Verdict == checker.Unknown || p.Verdict == checker.Vacuous || p.Undecided != "") {
				f.Undecided = with(f.Undecided, p.Property)
			}
			continue
		case !f.Planted:
			f.Also = with(f.Also, p.Property)
		case slices.Contains(f.Expected, p.Property):
			f.By = with(f.By, p.Property)
		default:
			f.Also = with(f.Also, p.Property)
			continue
		}
		if first == nil || v.To < first.To {
			first = v
		}
	}
	f.Runs++
	f.Directories = append(f.Directories, j.Directory)
	if first != nil {
		f.Found++
		if f.Sentence == "" {
			f.Seconds, f.Sentence = (f.spent + first.To).Seconds(), first.Sentence
		}
	}
	f.spent += j.Report.History.End
	f.loaded += j.Scenario.Duration
}

// guilty returns the violation that ends first of those that count: for a
// planted bug those for which the subject is to blame, for a control all that
// would fail a run.
func guilty(p *checker.Property, planted bool) *checker.Violation {
	var first *checker.Violation
	for i := range p.Violations {
		v := &p.Violations[i]
		counts := v.Known == "" && v.Blame != checker.BlameLease
		if planted {
			counts = v.Known == "" && v.Blame == checker.BlameSubject
		}
		if counts && (first == nil || v.To < first.To) {
			first = v
		}
	}
	return first
}

// with returns names with one more, unless it is there.
func with(names []string, name string) []string {
	if slices.Contains(names, name) {
		return names
	}
	return append(names, name)
}
