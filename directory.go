package holdfast

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"go.etcd.io/etcd/api/v3/version"

	"github.com/etcd-holdfast/holdfast/history"
)

// The files of a run directory.
const (
	InfoFile      = "run.json"
	ScenarioFile  = "scenario.yaml"
	HistoryFile   = "history.jsonl"
	RevisionsFile = "revisions.jsonl"
	FaultsFile    = "faults.jsonl"
	VerdictFile   = "verdict.json"
	ReportFile    = "report.html"
	JUnitFile     = "junit.xml"
	SummaryFile   = "summary.md"
	MetricsFile   = "metrics.prom"
)

// How a run ended.
const (
	EndedComplete    = "complete"
	EndedInterrupted = "interrupted: the run was cut short by its user"
	// EndedCut is what run.json says from the start until the run has ended:
	// a killed run leaves it so.
	EndedCut = "cut short"
)

// Info is run.json: what a run was and how it ended.
type Info struct {
	Holdfast string   `json:"holdfast"`
	Argv     []string `json:"argv"`
	Scenario string   `json:"scenario"`
	Seed     int64    `json:"seed"`
	// Started is the wall-clock time at which the run's clock read zero.
	Started time.Time `json:"started"`
	Git     string    `json:"git"`
	Host    string    `json:"host"`
	Go      string    `json:"go"`
	Cluster string    `json:"cluster"`
	Etcd    string    `json:"etcd"`
	Ended   string    `json:"ended"`
	// Warnings are failures of healing and tearing down. They never cost the
	// verdict.
	Warnings []string `json:"warnings"`
	// Digest is a hash of all that was recorded, if the cluster was simulated: the
	// same scenario and seed give the same.
	Digest string `json:"digest,omitempty"`
	// Rounds is how many rounds each client began before the heal.
	Rounds map[string]int `json:"rounds,omitempty"`
	// Strict is whether the run was judged strictly whatever its scenario says.
	Strict bool `json:"strict"`
}

// Version is this program's version, as far as it was built with one.
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

func newInfo(s *Scenario, argv []string, strict bool) Info {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	info := Info{
		Holdfast: Version(), Argv: argv, Scenario: s.Name, Seed: s.Seed, Started: time.Now(), Host: host,
		Go: runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH, Cluster: s.Cluster.Kind, Etcd: version.Version,
		Ended: EndedCut, Warnings: []string{}, Strict: strict,
	}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range build.Settings {
			if setting.Key == "vcs.revision" {
				info.Git = setting.Value
			}
		}
	}
	return info
}

// directory is a run directory being written.
type directory struct {
	path  string
	files []*os.File
}

// newDirectory creates the directory of a run below parent, with its info and
// scenario in it from the first moment on, and makes parent/latest point to it.
func newDirectory(parent string, info *Info, scenario []byte) (*directory, error) {
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return nil, fmt.Errorf("create the directory for runs: %w", err)
	}
	temporary, err := os.MkdirTemp(parent, ".new-")
	if err != nil {
		return nil, fmt.Errorf("create the run directory: %w", err)
	}
	made := &directory{path: temporary}
	if err := errors.Join(os.Chmod(temporary, 0o755), write(temporary, ScenarioFile, scenario), made.writeInfo(info)); err != nil {
		return nil, errors.Join(err, os.RemoveAll(temporary))
	}
	name := fmt.Sprintf("%s-%s-%d", info.Started.UTC().Format("20060102T150405Z"), info.Scenario, info.Seed)
	d := &directory{}
	for n := 1; ; n++ {
		d.path = filepath.Join(parent, name)
		if n > 1 {
			d.path += fmt.Sprintf("-%d", n)
		}
		err := os.Rename(temporary, d.path)
		if err == nil {
			break
		}
		// A directory that is not empty is not replaced: two runs at once.
		if !errors.Is(err, os.ErrExist) && !errors.Is(err, syscall.ENOTEMPTY) {
			return nil, errors.Join(fmt.Errorf("create the run directory: %w", err), os.RemoveAll(temporary))
		}
	}
	// The link is made under another name and moved, so that there is one at
	// every moment.
	link := filepath.Join(parent, ".latest-"+filepath.Base(d.path))
	if err := os.Symlink(filepath.Base(d.path), link); err != nil {
		return nil, fmt.Errorf("link the latest run: %w", err)
	}
	if err := os.Rename(link, filepath.Join(parent, "latest")); err != nil {
		return nil, errors.Join(fmt.Errorf("link the latest run: %w", err), os.Remove(link))
	}
	return d, nil
}

// append creates a file of the directory to append to.
func (d *directory) append(name string) (io.Writer, error) {
	f, err := os.OpenFile(filepath.Join(d.path, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", name, err)
	}
	d.files = append(d.files, f)
	return f, nil
}

// write replaces a file of the directory, all of it or nothing.
func write(path, name string, content []byte) error {
	temporary := filepath.Join(path, "."+name)
	if err := os.WriteFile(temporary, content, 0o644); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := os.Rename(temporary, filepath.Join(path, name)); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

func (d *directory) writeInfo(info *Info) error {
	content, err := json.MarshalIndent(info, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", InfoFile, err)
	}
	return write(d.path, InfoFile, append(content, '\n'))
}

func (d *directory) close() error {
	var faults []error
	for _, f := range d.files {
		faults = append(faults, f.Close())
	}
	return errors.Join(faults...)
}

// loaded is what a run directory holds.
type loaded struct {
	info     Info
	scenario Scenario
	yaml     string
	history  *history.History
}

// load reads a run directory, whole or cut short at any moment.
func load(path string) (*loaded, error) {
	l := &loaded{}
	content, err := os.ReadFile(filepath.Join(path, InfoFile))
	if err != nil {
		return nil, fmt.Errorf("%s is not a run directory: %w", path, err)
	}
	if err := json.Unmarshal(content, &l.info); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(path, InfoFile), err)
	}
	if content, err = os.ReadFile(filepath.Join(path, ScenarioFile)); err != nil {
		return nil, fmt.Errorf("read the run's scenario: %w", err)
	}
	l.yaml = string(content)
	// The subjects that it names may not be in this program: judging needs
	// only what it expects.
	if l.scenario, err = readExpectations(content); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(path, ScenarioFile), err)
	}
	l.history = &history.History{}
	var log *history.RevisionLog
	logged := make(chan error, 1)
	go func() { // beside the history, which takes longer
		logged <- read(path, RevisionsFile, func(r io.Reader) (err error) {
			log, err = history.ReadRevisions(r)
			return err
		})
	}()
	err = read(path, HistoryFile, func(r io.Reader) (err error) {
		l.history, err = history.ReadJournal(r)
		return err
	})
	if logErr := <-logged; err == nil { // a fault in the history comes first
		err = logErr
	}
	if err != nil {
		return nil, err
	}
	l.history.Revisions = log
	return l, read(path, FaultsFile, func(r io.Reader) (err error) {
		l.history.Faults, err = history.ReadFaults(r)
		return err
	})
}

// read reads a journal, plain or compressed. One that is not there or is empty
// was never begun: the run was killed before.
func read(path, name string, f func(io.Reader) error) error {
	for _, ending := range []string{"", zstdEnding, gzipEnding} {
		file, err := os.Open(filepath.Join(path, name+ending))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		defer file.Close()
		if stat, err := file.Stat(); err == nil && stat.Size() == 0 {
			return nil
		}
		content, err := history.Decompress(file)
		switch {
		case err != nil:
		case ending != "" && !content.Compressed:
			err = errors.New("its name says that it is compressed, and it is not")
		default:
			err = errors.Join(f(content), content.Close())
		}
		if err != nil {
			return &MalformedError{fmt.Errorf("%s: %w", file.Name(), err)}
		}
		return nil
	}
	return nil
}
