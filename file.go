package holdfast

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/checker/exact"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/reports"
)

// FileOptions say how to judge a history file. The zero value works.
type FileOptions struct {
	// Model is the kind of object that the calls are on; "" takes the one that
	// their functions suggest.
	Model string
	// Subject chooses one subject of a run's history; "" is all that fit.
	Subject string
	// Initial is a register's value at the beginning; nil is none.
	Initial *string
	// Permits and Parties are as in exact.Parameters.
	Permits, Parties int
	// Limits and Time bound the general search, if the model needs it. Time zero
	// is DefaultSearchTime.
	Limits exact.Limits
	Time   time.Duration
}

// DefaultSearchTime is how long the general search may take.
const DefaultSearchTime = 2 * time.Minute

// FileJudgement is the judgement of a history file: by a model, or of a run's
// history as that of a run. One of the two is nil.
type FileJudgement struct {
	Traces *reports.TraceReport
	Run    *reports.Report
}

// Verdict is the worst verdict and its exit code.
func (j *FileJudgement) Verdict() (checker.Verdict, int) {
	if j.Run != nil {
		return j.Run.Result.Verdict, j.Run.Result.Exit
	}
	return j.Traces.Worst()
}

// MalformedError says that a file cannot be judged as what it was taken for.
type MalformedError struct{ Err error }

func (e *MalformedError) Error() string { return e.Err.Error() }

// Unwrap returns what was wrong.
func (e *MalformedError) Unwrap() error { return e.Err }

// JudgeFile judges a history file, plain or compressed with gzip or zstd: the
// history.jsonl of a run, a Jepsen history in EDN, or one of Jepsen's older
// text logs. What it is shows in its content, not in its name.
//
// A run's own history is judged as Judge does, without the revision log and
// the faults, unless a model is given. What is malformed is a *MalformedError,
// which says where.
func JudgeFile(ctx context.Context, path string, o FileOptions) (*FileJudgement, error) {
	if err := o.valid(); err != nil {
		return nil, err
	}
	file, err := history.Open(path)
	if err != nil {
		return nil, malformed(err)
	}
	defer file.Close()
	if file.Format == history.FormatJournal {
		return judgeJournal(ctx, file, &o)
	}
	if o.Model == "" {
		if o.Model = file.SuggestedModel(); o.Model == "" {
			return nil, &MalformedError{fmt.Errorf("%s: its functions suggest no model; name one of %s", path, strings.Join(modelNames(), ", "))}
		}
	}
	t, err := file.Trace(o.Model)
	if err != nil {
		return nil, malformed(err)
	}
	return &FileJudgement{Traces: &reports.TraceReport{Source: path, Format: file.Format.Description(), Parts: []reports.TracePart{
		{Trace: t, Result: o.check(ctx, t, o.Model, 0)},
	}}}, nil
}

// valid is an error if the options name a model that does not exist.
func (o *FileOptions) valid() error {
	if _, ok := exact.ModelNamed(o.Model); !ok && o.Model != "" {
		return &SelectionError{"model", o.Model, modelNames()}
	}
	return nil
}

func modelNames() []string {
	var names []string
	for _, m := range exact.Models() {
		names = append(names, m.Name)
	}
	return names
}

// check judges a trace by a model that exists; permits are those of its
// semaphores where the options do not say. The time is that of the search:
// reading does not count.
func (o *FileOptions) check(ctx context.Context, t *history.Trace, name string, permits int) *checker.TraceResult {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(o.Time, DefaultSearchTime))
	defer cancel()
	model, _ := exact.ModelNamed(name)
	p := exact.Parameters{Permits: cmp.Or(o.Permits, permits), Parties: o.Parties}
	if o.Initial != nil {
		v := t.Symbol(*o.Initial)
		if *o.Initial == "nil" {
			v = history.Nil
		}
		p.Initial = &v
	}
	return checker.CheckTrace(ctx, t, model, p, o.Limits)
}

// judgeJournal judges a run's history alone.
func judgeJournal(ctx context.Context, file *history.File, o *FileOptions) (*FileJudgement, error) {
	h, err := file.History()
	if err != nil {
		return nil, malformed(err)
	}
	if o.Model == "" && o.Subject == "" {
		return &FileJudgement{Run: &reports.Report{
			Scenario: filepath.Base(file.Source()), History: h, Result: checker.Check(h, checker.Options{}),
		}}, nil
	}
	return o.judgeSubjects(ctx, h, file.Source())
}

// JudgeDirectory judges the subjects of a run by a model: what its clients were
// told, with the revision log where it resolves an unknown outcome.
func JudgeDirectory(ctx context.Context, path string, o FileOptions) (*FileJudgement, error) {
	if err := o.valid(); err != nil {
		return nil, err
	}
	l, err := load(path)
	if err != nil {
		return nil, malformed(err)
	}
	return o.judgeSubjects(ctx, l.history, path)
}

// judgeSubjects judges what the options choose of a run, by models.
func (o *FileOptions) judgeSubjects(ctx context.Context, h *history.History, source string) (*FileJudgement, error) {
	r := &reports.TraceReport{Source: source, Format: history.FormatJournal.Description()}
	for _, s := range h.Header.Subjects {
		if o.Subject != "" && s.Name != o.Subject {
			continue
		}
		for _, of := range checker.Views(h, s) {
			v := view(of)
			if o.Model != "" && !v.fits(o.Model) {
				continue
			}
			model := v.Model
			if o.Model != "" {
				model = o.Model
			}
			r.Parts = append(r.Parts, reports.TracePart{Subject: v.Name, Trace: v.Trace, Result: o.check(ctx, v.Trace, model, v.Parameters.Permits)})
		}
	}
	if o.Subject != "" && !slices.Contains(subjectNames(h), o.Subject) {
		return nil, &SelectionError{"subject", o.Subject, subjectNames(h)}
	}
	if len(r.Parts) == 0 && len(h.Header.Subjects) > 0 {
		return nil, &MalformedError{fmt.Errorf("%s has no calls that the model %s can judge", source, o.Model)}
	}
	return &FileJudgement{Traces: r}, nil
}

// fits is true if the calls of a view are those of a model. To a lock of any
// other kind, readers that share one would be a violation.
func (v *view) fits(name string) bool {
	if v.Model == "rwmutex" && name != "rwmutex" && name != "fencing-tokens" {
		return false
	}
	functions := func(name string) []history.Function {
		m, _ := exact.ModelNamed(name)
		return m.Functions
	}
	own := functions(v.Model)
	return slices.ContainsFunc(functions(name), func(f history.Function) bool { return slices.Contains(own, f) })
}

// malformed marks what is wrong with a file's content; that it cannot be read
// is another matter.
func malformed(err error) error {
	if os.IsNotExist(err) || os.IsPermission(err) {
		return err
	}
	return &MalformedError{err}
}

// JSON is the judgement as JSON: that of a run as verdict.json has it, that of
// a model as reports.TraceJSON has it.
func (j *FileJudgement) JSON() ([]byte, error) {
	if j.Run != nil {
		return reports.JSON(j.Run)
	}
	return reports.TraceJSON(j.Traces)
}
