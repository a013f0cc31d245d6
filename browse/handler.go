package browse

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strconv"

	"github.com/etcd-holdfast/holdfast/internal/printable"
)

// Options are what a Handler needs. Directory has to be set.
type Options struct {
	// Directory is the one in which run directories are.
	Directory string
	// Hosts are names besides localhost under which the pages are served.
	Hosts []string
}

// Handler answers requests for pages. It is to be closed.
type Handler struct {
	http.Handler
	library *library
}

// Close lets go of the directory.
func (h *Handler) Close() error { return h.library.close() }

// NewHandler opens the directory and returns what serves it.
func NewHandler(o Options) (*Handler, error) {
	l, err := openLibrary(o.Directory)
	if err != nil {
		return nil, err
	}
	s := &site{library: l, directory: o.Directory}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page(s.list))
	mux.HandleFunc("GET /compare", s.page(s.compare))
	mux.HandleFunc("GET /trends", s.page(s.trends))
	mux.HandleFunc("GET /runs/{name}/{$}", s.page(s.run))
	mux.HandleFunc("GET /runs/{name}/files/{path...}", s.file)
	mux.HandleFunc("GET /style.css", fixed("text/css; charset=utf-8", styleSource))
	mux.HandleFunc("GET /icon.svg", fixed("image/svg+xml", iconSource))
	mux.HandleFunc("GET /", s.page(func(*http.Request) (*view, error) { return nil, errNoPage }))
	return &Handler{Handler: guard(o.Hosts, mux), library: l}, nil
}

// fixed answers with what is in this program.
func fixed(kind string, content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(content)
	}
}

// site makes the pages.
type site struct {
	library   *library
	directory string
}

// view is a page to be made: a template and what it shows.
type view struct {
	Template string
	Title    string
	// Here is the entry of the navigation that the page belongs to.
	Here      string
	Directory string
	Content   any
}

// failure is why there is no page, with its status.
type failure struct {
	Status int
	Text   string
}

func (f *failure) Error() string { return f.Text }

var (
	errNoPage = &failure{http.StatusNotFound, "There is no such page."}
	errNoRun  = &failure{http.StatusNotFound, "There is no such run in the directory (any more)."}
)

// redirect leads to another page.
type redirect string

func (r redirect) Error() string { return "it is at " + string(r) }

// page answers with what make makes.
func (s *site) page(make func(*http.Request) (*view, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		status := http.StatusOK
		v, err := make(r)
		var other redirect
		var wrong *failure
		switch {
		case err == nil:
		case errors.As(err, &other):
			http.Redirect(w, r, string(other), http.StatusFound)
			return
		case errors.As(err, &wrong):
			status = wrong.Status
		default:
			status = http.StatusInternalServerError
		}
		if err != nil {
			v = &view{Template: "wrong", Title: http.StatusText(status), Content: err.Error()}
		}
		v.Directory = s.directory
		var b bytes.Buffer
		if err := pages.ExecuteTemplate(&b, v.Template, v); err != nil {
			http.Error(w, "The page could not be made: "+printable.Text(err.Error()), http.StatusInternalServerError)
			return
		}
		content := printable.Text(b.String())
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
		w.WriteHeader(status)
		_, _ = w.Write([]byte(content))
	}
}

// file sends a file of a run.
func (s *site) file(w http.ResponseWriter, r *http.Request) {
	c, err := s.library.look()
	name, inside := r.PathValue("name"), r.PathValue("path")
	if err != nil || c.byName[name] == nil || !fs.ValidPath(inside) || inside == "." || path.Clean(inside) != inside {
		http.Error(w, "The directory has no such run, or the run no such file.", http.StatusNotFound)
		return
	}
	root, err := s.library.directory(name)
	if err != nil {
		http.Error(w, "The run cannot be opened.", http.StatusNotFound)
		return
	}
	defer root.Close()
	serveFile(w, r, root, inside)
}
