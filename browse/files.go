package browse

import (
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast"
	"github.com/etcd-holdfast/holdfast/internal/printable"
	"github.com/etcd-holdfast/holdfast/reports"
)

// filePolicy is the Content-Security-Policy of what runs have left: a page of it
// would have an origin of its own, so that it is none of this server's, would run no
// script, send no form and load nothing.
const filePolicy = "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// reportPolicy is that of a report. The one script that it allows, by its hash, is
// that of this program's reports: whatever else a report has, of another version or
// from somebody who means harm, is not run. What is run has an origin of its own.
var reportPolicy = "sandbox allow-scripts; " + reports.Policy() + "; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// fileTime is how long sending one file may take.
const fileTime = 10 * time.Minute

// plainEndings are those of files that are shown as text; others are saved.
var plainEndings = []string{".json", ".jsonl", ".yaml", ".yml", ".log", ".md", ".txt", ".xml", ".prom", ".edn"}

// file is one of a run's, as its page lists it.
type file struct {
	Path, Link string
	Size       string
	What       string
}

// meanings are what the files of a run are.
var meanings = map[string]string{
	holdfast.InfoFile:      "what the run was and how it ended",
	holdfast.ScenarioFile:  "the scenario, every default written out",
	holdfast.HistoryFile:   "what every client did and was told",
	holdfast.RevisionsFile: "every change in the store",
	holdfast.FaultsFile:    "the faults, with their evidence",
	holdfast.VerdictFile:   "the verdicts, for machines",
	holdfast.ReportFile:    "the report",
	"junit.xml":            "the verdicts, for CI",
	"summary.md":           "the verdicts, as Markdown",
	"metrics.prom":         "figures, for Prometheus",
	"members":              "log of a member",
	"clients":              "what a client's process said",
	"programs":             "what a program said",
}

const (
	// maxFiles bounds what a page lists.
	maxFiles = 500
	// maxDepth is how many directories deep it looks.
	maxDepth = 2
)

// filesOf lists the regular files of a run, not those of its members' data.
func filesOf(root *os.Root, name string) (all []file, more bool) {
	_ = fs.WalkDir(root.FS(), ".", func(p string, e fs.DirEntry, err error) error {
		switch {
		case err != nil, !printable.IsText(p):
			if e != nil && e.IsDir() {
				return fs.SkipDir
			}
			return nil
		case e.IsDir() && (p == "data" || strings.Count(p, "/") >= maxDepth):
			return fs.SkipDir
		case !e.Type().IsRegular():
			return nil
		case len(all) == maxFiles:
			more = true
			return fs.SkipAll
		}
		f := file{Path: p, Link: fileLink(name, p)}
		if info, err := e.Info(); err == nil {
			f.Size = sizeText(info.Size())
		}
		directory, _, _ := strings.Cut(p, "/")
		base := p
		for _, ending := range []string{".zst", ".gz"} {
			base = strings.TrimSuffix(base, ending)
		}
		if f.What = meanings[base]; f.What == "" && directory != p {
			f.What = meanings[directory]
		}
		all = append(all, f)
		return nil
	})
	return all, more
}

// sizeText is a file's size for people.
func sizeText(bytes int64) string {
	switch {
	case bytes < 1<<10:
		return fmt.Sprintf("%d B", bytes)
	case bytes < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(bytes)/(1<<10))
	default:
		return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
	}
}

// serveFile sends a file of a run so that nothing in it is executed.
func serveFile(w http.ResponseWriter, r *http.Request, root *os.Root, name string) {
	f, info, err := open(root, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		http.Error(w, "The run has no such file.", http.StatusNotFound)
		return
	case err != nil: // it leads out of the run, or is no file
		http.Error(w, "This is not a file of the run that can be shown.", http.StatusForbidden)
		return
	}
	defer f.Close()
	h := w.Header()
	h.Set("Content-Security-Policy", filePolicy)
	switch {
	case name == holdfast.ReportFile:
		h.Set("Content-Security-Policy", reportPolicy)
		h.Set("Content-Type", "text/html; charset=utf-8")
	case slices.Contains(plainEndings, path.Ext(name)):
		h.Set("Content-Type", "text/plain; charset=utf-8")
	default:
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": path.Base(name)}))
	}
	// Where it cannot be set, the server's own is kept.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(fileTime))
	http.ServeContent(w, r, "", info.ModTime(), f)
}
