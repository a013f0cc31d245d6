package holdfast

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/checker/exact"
	"github.com/etcd-holdfast/holdfast/history"
)

// The formats that Export writes.
const (
	// FormatJepsen is a Jepsen history in EDN, one for each subject.
	FormatJepsen = "jepsen"
	// FormatPorcupine is porcupine's own page, one for each object.
	FormatPorcupine = "porcupine"
)

// ExportOptions say what to export of a run.
type ExportOptions struct {
	// Format is FormatJepsen or FormatPorcupine.
	Format string
	// Subject and Object choose one; "" is all.
	Subject, Object string
	// Out is the directory to write to; "" is "export" in the run directory.
	Out string
	// Calls is how many calls porcupine is given of each object at the most:
	// it needs minutes and gigabytes for a few thousand. Zero is 400.
	Calls int
}

// Exported is a file that Export wrote.
type Exported struct {
	Path string
	// Note says what a reader should know of it, or is "".
	Note string
}

// pictureTime is how long porcupine may search for one page.
const pictureTime = 30 * time.Second

// Export writes the locks, and the leader values of elections, of a run as
// histories that other tools read.
func Export(ctx context.Context, path string, o ExportOptions) ([]Exported, error) {
	if o.Format != FormatJepsen && o.Format != FormatPorcupine {
		return nil, &SelectionError{"export format", o.Format, []string{FormatJepsen, FormatPorcupine}}
	}
	l, err := load(path)
	if err != nil {
		return nil, err
	}
	if o.Subject != "" && !slices.ContainsFunc(l.history.Header.Subjects, func(s history.SubjectInfo) bool { return s.Name == o.Subject }) {
		return nil, &SelectionError{"subject", o.Subject, subjectNames(l.history)}
	}
	if o.Out == "" {
		o.Out = filepath.Join(path, "export")
	}
	if o.Calls <= 0 {
		o.Calls = 400
	}
	if err := os.MkdirAll(o.Out, 0o755); err != nil {
		return nil, fmt.Errorf("create the directory to export to: %w", err)
	}
	var written []Exported
	for _, s := range l.history.Header.Subjects {
		if o.Subject != "" && s.Name != o.Subject {
			continue
		}
		for _, of := range checker.Views(l.history, s) {
			of.Trace.Source = path
			v := view(of)
			files, err := v.export(ctx, &o, of.Parameters)
			written = append(written, files...)
			if err != nil {
				return written, err
			}
		}
	}
	if len(written) == 0 && o.Object != "" {
		var objects []string
		for i := range l.history.Operations {
			if name := l.history.Operations[i].Object; !slices.Contains(objects, name) {
				objects = append(objects, name)
			}
		}
		return nil, &SelectionError{"object", o.Object, objects}
	}
	return written, nil
}

func subjectNames(h *history.History) []string {
	var names []string
	for _, s := range h.Header.Subjects {
		names = append(names, s.Name)
	}
	return names
}

// view is one subject's calls as a model sees them.
type view checker.View

func (v *view) export(ctx context.Context, o *ExportOptions, p exact.Parameters) ([]Exported, error) {
	if o.Format == FormatJepsen {
		var b bytes.Buffer
		if err := history.WriteEDN(&b, v.Trace, v.Model); err != nil {
			return nil, fmt.Errorf("export %s: %w", v.Name, err)
		}
		file := url.PathEscape(v.Name) + ".edn"
		return []Exported{{Path: filepath.Join(o.Out, file), Note: "check it with " + options(v.Model, p)}}, write(o.Out, file, b.Bytes())
	}
	model, ok := exact.ModelNamed(v.Model)
	if !ok {
		return nil, fmt.Errorf("export %s: there is no model %q", v.Name, v.Model)
	}
	var written []Exported
	var failure error
	v.Trace.ByObject(func(object int32, calls []history.Call) {
		name := v.Trace.Objects[object]
		if failure != nil || o.Object != "" && name != o.Object || len(calls) == 0 {
			return
		}
		found := model.Check(ctx, calls, p, exact.Limits{})
		shown, note := exact.Excerpt(calls, found.Violation, o.Calls)
		var b bytes.Buffer
		answer, err := model.Picture(&b, v.Trace, shown, p, pictureTime)
		if err != nil {
			failure = fmt.Errorf("export %s %s: %w", v.Name, name, err)
			return
		}
		if answer == porcupine.Unknown {
			note = strings.TrimPrefix(note+fmt.Sprintf("; porcupine gave up after %v", pictureTime), "; ")
		}
		file := url.PathEscape(v.Name+"-"+name) + ".html"
		failure = write(o.Out, file, b.Bytes())
		written = append(written, Exported{Path: filepath.Join(o.Out, file), Note: note})
	})
	return written, failure
}

// options are those with which a trace of a model is checked.
func options(model string, p exact.Parameters) string {
	text := "--model " + model
	switch {
	case model == "double-barrier" && p.Parties > 0:
		text += fmt.Sprintf(" --parties %d", p.Parties)
	case model == "semaphore" && p.Permits > 0:
		text += fmt.Sprintf(" --permits %d", p.Permits)
	}
	return text
}
