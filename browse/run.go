package browse

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/etcd-holdfast/holdfast"
	"github.com/etcd-holdfast/holdfast/checker"
)

// run is what is known of one run directory.
type run struct {
	// Name is the directory's.
	Name string
	Info holdfast.Info
	// Verdict is nil if there is none, or none that can be read.
	Verdict *verdict
	// Problem says what is wrong with the directory, or "".
	Problem string
	// Unfinished is true as long as run.json says that the run has not ended: it is
	// under way, or it was killed. Last is when its record last grew.
	Unfinished bool
	Last       time.Time
	// Report is true if there is a report.html.
	Report bool
	// Scenario is scenario.yaml, and Duration how long it has load.
	Scenario []byte
	Duration time.Duration

	stamp stamp
}

// verdict is verdict.json. A field that another version does not write is zero.
type verdict struct {
	Verdict    checker.Verdict `json:"verdict"`
	Exit       int             `json:"exit"`
	Properties []property      `json:"properties"`
	Faults     []fault         `json:"faults"`
	Unfired    []string        `json:"unfired"`
	Notes      []string        `json:"notes"`
}

type property struct {
	Subject  string             `json:"subject"`
	Property string             `json:"property"`
	Verdict  checker.Verdict    `json:"verdict"`
	Effect   checker.Verdict    `json:"effect"`
	Blame    checker.Blame      `json:"blame"`
	Known    string             `json:"known"`
	Count    int                `json:"count"`
	Sentence string             `json:"sentence"`
	Figures  map[string]float64 `json:"figures"`
}

type fault struct {
	Fault    string  `json:"fault"`
	Target   string  `json:"target"`
	From     float64 `json:"from"`
	To       float64 `json:"to"`
	Verified bool    `json:"verified"`
	Evidence string  `json:"evidence"`
	// Unfired: its moment never came. Uninjected: it was tried in vain. Unhealed is why
	// it could not be healed.
	Unfired    bool   `json:"unfired"`
	Uninjected bool   `json:"uninjected"`
	Unhealed   string `json:"unhealed"`
}

// Became says whether the fault was injected and its effect seen.
func (f *fault) Became() string {
	switch {
	case f.Unfired:
		return "its moment never came"
	case f.Uninjected:
		return "not injected"
	case f.Verified:
		return "proved"
	default:
		return "not proved"
	}
}

// maxText is how much of one text a page shows, in bytes; maxProperties and maxNotes
// are how many properties, faults and notes a run has at most. Real runs are far below.
const (
	maxText       = 4 << 10
	maxProperties = 10_000
	maxNotes      = 100
)

// bound cuts off what no page could show.
func (v *verdict) bound() {
	v.Properties = v.Properties[:min(len(v.Properties), maxProperties)]
	v.Faults = v.Faults[:min(len(v.Faults), maxProperties)]
	for i := range v.Properties {
		p := &v.Properties[i]
		for _, text := range []*string{&p.Subject, &p.Property, (*string)(&p.Blame), &p.Known, &p.Sentence} {
			*text = shortened(*text)
		}
	}
	v.Unfired, v.Notes = v.Unfired[:min(len(v.Unfired), maxNotes)], v.Notes[:min(len(v.Notes), maxNotes)]
	for _, texts := range [][]string{v.Unfired, v.Notes} {
		for i := range texts {
			texts[i] = shortened(texts[i])
		}
	}
	for i := range v.Faults {
		f := &v.Faults[i]
		for _, text := range []*string{&f.Fault, &f.Target, &f.Evidence, &f.Unhealed} {
			*text = shortened(*text)
		}
	}
}

func shortened(text string) string {
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(text[:maxText], "") + "…"
}

// stamp tells whether the files of a run are still those that were read.
type stamp [4]struct {
	changed time.Time
	size    int64
}

// stamped are the files that a stamp is of.
var stamped = [...]string{holdfast.InfoFile, holdfast.VerdictFile, holdfast.ScenarioFile, holdfast.ReportFile}

// maxRead is how much of one JSON or YAML file is read: more is no file of a run's.
const maxRead = 16 << 20

// stampOf looks at the files of a run.
func stampOf(root *os.Root) (s stamp) {
	for i, name := range stamped {
		if info, err := root.Stat(name); err == nil {
			s[i].changed, s[i].size = info.ModTime(), info.Size()
		}
	}
	return s
}

// readRun reads a run directory. Whatever is wrong with it is in the run.
func readRun(root *os.Root, name string) *run {
	r := &run{Name: name, stamp: stampOf(root)} // before reading: what changes meanwhile is read again
	if err := readJSON(root, holdfast.InfoFile, &r.Info); err != nil {
		r.Problem = err.Error()
	}
	if content, err := readFile(root, holdfast.ScenarioFile); err == nil {
		r.Scenario = content
		var s struct {
			Duration time.Duration `yaml:"duration"`
		}
		if yaml.Unmarshal(content, &s) == nil {
			r.Duration = s.Duration
		}
	}
	v := &verdict{}
	switch err := readJSON(root, holdfast.VerdictFile, v); {
	case err == nil:
		v.bound()
		r.Verdict = v
	case !errors.Is(err, fs.ErrNotExist) && r.Problem == "":
		r.Problem = err.Error()
	}
	if info, err := root.Stat(holdfast.ReportFile); err == nil {
		r.Report = info.Mode().IsRegular()
	}
	r.Unfinished = r.Problem == "" && r.Info.Ended == holdfast.EndedCut
	r.grown(root)
	return r
}

// grown notes when an unfinished run's record last grew.
func (r *run) grown(root *os.Root) {
	if !r.Unfinished {
		return
	}
	r.Last = r.Info.Started
	for _, name := range []string{holdfast.HistoryFile, holdfast.RevisionsFile, holdfast.FaultsFile} {
		if info, err := root.Stat(name); err == nil && info.ModTime().After(r.Last) {
			r.Last = info.ModTime()
		}
	}
}

// open opens a regular file of a run. Anything else, a pipe for example, could keep
// whoever reads it waiting.
func open(root *os.Root, name string) (*os.File, fs.FileInfo, error) {
	file, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", name)
	}
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	return file, info, nil
}

func readFile(root *os.Root, name string) ([]byte, error) {
	file, _, err := open(root, name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxRead+1))
	if err == nil && len(content) > maxRead {
		err = fmt.Errorf("%s is larger than %d MiB", name, maxRead>>20)
	}
	return content, err
}

func readJSON(root *os.Root, name string, value any) error {
	content, err := readFile(root, name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(content, value); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// subjects are those of the verdict, each once.
func (r *run) subjects() []string {
	var all []string
	for i := range r.properties() {
		if name := r.Verdict.Properties[i].Subject; !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// properties are those of the verdict, if there is one.
func (r *run) properties() []property {
	if r.Verdict == nil {
		return nil
	}
	return r.Verdict.Properties
}

// property returns that of a subject, or nil.
func (r *run) property(subject, name string) *property {
	for i := range r.properties() {
		if p := &r.Verdict.Properties[i]; p.Subject == subject && p.Property == name {
			return p
		}
	}
	return nil
}

// rounds is how many rounds the clients began a second of load, or zero if that is
// not known.
func (r *run) rounds() float64 {
	if r.Duration <= 0 {
		return 0
	}
	total := 0
	for _, n := range r.Info.Rounds {
		total += n
	}
	return float64(total) / r.Duration.Seconds()
}

// calls is how many calls returned a second of load, or zero if that is not known.
// Those of the last round count, too.
func (r *run) calls() float64 {
	if r.Duration <= 0 {
		return 0
	}
	total := 0.0
	for _, p := range r.properties() {
		if p.Property == checker.Contract {
			total += p.Figures["completed"]
		}
	}
	return total / r.Duration.Seconds()
}
