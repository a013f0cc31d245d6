package holdfast

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/reports"
)

// Judgement is the outcome of a run, read off its directory.
type Judgement struct {
	// Directory is the run directory.
	Directory string
	Info      Info
	Scenario  Scenario
	// Report has the result, and the history that it was judged by.
	Report *reports.Report
}

// Result is the verdict on every property.
func (j *Judgement) Result() *checker.Result { return j.Report.Result }

// Judge reads a run directory and judges it. It needs nothing else: the same
// directory gives the same judgement whenever and wherever it is judged. It
// judges strictly if strict is true or if the run was made so.
func Judge(directory string, strict bool) (*Judgement, error) {
	l, err := load(directory)
	if err != nil {
		return nil, err
	}
	result := l.scenario.judge(l.history, checker.Options{
		Strict: strict || l.info.Strict, CutShort: l.info.Ended != EndedComplete,
	})
	return &Judgement{Directory: directory, Info: l.info, Scenario: l.scenario, Report: &reports.Report{
		Scenario: l.info.Scenario, Seed: l.info.Seed, ScenarioYAML: l.yaml, About: l.scenario.Summary,
		Command: command(&l.info, ScenarioFile), Anywhere: anywhere(l),
		Started: l.info.Started, EtcdVersion: l.info.Etcd, ClusterKind: l.info.Cluster, HoldfastVersion: l.info.Holdfast,
		GoVersion: l.info.Go, Host: l.info.Host, Ended: l.info.Ended, Warnings: l.info.Warnings,
		History: l.history, Result: result,
	}}, nil
}

// judge judges a history by what the scenario expects. Options say how the run
// was made and is to be judged; the scenario adds to them.
func (s *Scenario) judge(h *history.History, options checker.Options) *checker.Result {
	expect := &s.Expect
	options.Strict = options.Strict || expect.Strict
	options.Grace, options.DeadlineGrace, options.NoticeLimit = expect.Grace, expect.DeadlineGrace, expect.NoticeLimit
	options.Reproduces = nil
	for _, subject := range slices.Sorted(maps.Keys(expect.Reproduces)) {
		for _, known := range expect.Reproduces[subject] {
			options.Reproduces = append(options.Reproduces, checker.Reproduction{Subject: subject, Known: known})
		}
	}
	options.Damage = slices.Clone(expect.Damage)
	options.Known = nil
	if known := expect.Known; known != nil {
		options.Known = append([]string{}, *known...)
	}
	return checker.Check(h, options)
}

// command is what repeats a run with its faults and its clients' decisions.
func command(info *Info, scenario string) string {
	words := []string{"holdfast", "run", scenario, "--seed", strconv.FormatInt(info.Seed, 10)}
	if info.Strict {
		words = append(words, "--strict")
	}
	return strings.Join(words, " ")
}

// anywhere is the command that repeats a run of a built-in scenario in which nothing
// was changed; "" for others.
func anywhere(l *loaded) string {
	for _, name := range BuiltinScenarios() {
		if path.Base(name) != l.scenario.Name {
			continue
		}
		s, err := BuiltinScenario(name)
		if err != nil {
			continue
		}
		s.Seed = l.info.Seed
		if text, err := s.YAML(); err == nil && string(text) == l.yaml {
			return command(&l.info, name)
		}
	}
	return ""
}

// readExpectations reads a run's own scenario. It is complete, and was valid
// where the run was made.
func readExpectations(text []byte) (Scenario, error) {
	var s Scenario
	if err := yaml.Unmarshal(text, &s); err != nil {
		return Scenario{}, err
	}
	return s, nil
}

// Write writes all that is made of a judgement into the run directory: verdict.json,
// report.html, junit.xml, summary.md and metrics.prom.
func (j *Judgement) Write() error {
	return errors.Join(
		j.WriteVerdict(), j.WriteReport(), j.write(JUnitFile, reports.JUnit), j.write(MetricsFile, reports.Metrics),
		j.write(SummaryFile, func(r *reports.Report) ([]byte, error) { return reports.Summary(r), nil }),
	)
}

// WriteVerdict writes verdict.json into the run directory.
func (j *Judgement) WriteVerdict() error { return j.write(VerdictFile, reports.JSON) }

// WriteReport writes report.html into the run directory.
func (j *Judgement) WriteReport() error {
	if j.Report.Logs == nil {
		j.Report.Logs = runLogs(j.Directory, j.Info.Started)
	}
	return j.write(ReportFile, reports.HTML)
}

func (j *Judgement) write(name string, render func(*reports.Report) ([]byte, error)) error {
	content, err := render(j.Report)
	if err != nil {
		return fmt.Errorf("make %s: %w", name, err)
	}
	return write(j.Directory, name, content)
}
