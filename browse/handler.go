package browse

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/etcd-holdfast/holdfast/checker"
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
func (h *Handler) Close() error { return h.library.root.Close() }

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
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write(styleSource)
	})
	mux.HandleFunc("GET /", s.page(func(*http.Request) (*view, error) { return nil, errNoPage }))
	return &Handler{Handler: guard(o.Hosts, mux), library: l}, nil
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

// pageLength is how many runs one page of the list has.
const pageLength = 100

// listPage is the list of runs.
type listPage struct {
	Query   *query
	Options options
	Rows    []*run
	// Newest is the run that began last, of all.
	Newest *run
	// Found is how many the query chooses of All; Others are no run directories.
	Found, All, Others  int
	First, Last         int
	Previous, Following string
	Summary             []count
}

type count struct {
	Standing standing
	N        int
	Link     string
}

func (s *site) list(r *http.Request) (*view, error) {
	q, err := parseQuery(r.URL.Query())
	if err != nil {
		return nil, &failure{http.StatusBadRequest, err.Error()}
	}
	c, err := s.library.look()
	if err != nil {
		return nil, err
	}
	found := q.choose(c.Runs)
	p := &listPage{Query: q, Options: optionsOf(c.Runs), Found: len(found), All: len(c.Runs), Others: c.Others}
	if len(c.Runs) > 0 {
		p.Newest = c.Runs[0]
	}
	for _, st := range standings {
		n := 0
		for _, r := range found {
			if standingOf(r).Word == st.Word {
				n++
			}
		}
		if n > 0 {
			p.Summary = append(p.Summary, count{st, n, q.With("verdict", st.Word)})
		}
	}
	first := min((q.Page-1)*pageLength, len(found))
	last := min(first+pageLength, len(found))
	p.Rows, p.First, p.Last = found[first:last], first+1, last
	if q.Page > 1 {
		p.Previous = q.With("page", strconv.Itoa(q.Page-1))
	}
	if last < len(found) {
		p.Following = q.With("page", strconv.Itoa(q.Page+1))
	}
	return &view{Template: "list", Title: "Runs", Here: "runs", Content: p}, nil
}

// runPage is one run.
type runPage struct {
	Run *run
	// Failing are the properties that do not hold, the worst first.
	Failing []property
	Matrix  []matrix
	Files   []file
	More    bool
	// Earlier and Later are the runs of the same scenario around it.
	Earlier, Later *run
}

// matrix is the verdicts of some subjects: a table of a few columns is readable.
type matrix struct {
	Subjects []string
	Rows     []matrixRow
}

type matrixRow struct {
	Property string
	Cells    []*property
}

// maxColumns is how many subjects one matrix has.
const maxColumns = 6

func matricesOf(r *run) []matrix {
	var all []matrix
	for some := range slices.Chunk(r.subjects(), maxColumns) {
		m := matrix{Subjects: some}
		var names []string
		for i := range r.properties() {
			p := &r.Verdict.Properties[i]
			if slices.Contains(some, p.Subject) && !slices.Contains(names, p.Property) {
				names = append(names, p.Property)
			}
		}
		for _, name := range names {
			row := matrixRow{Property: name}
			for _, subject := range some {
				row.Cells = append(row.Cells, r.property(subject, name))
			}
			m.Rows = append(m.Rows, row)
		}
		all = append(all, m)
	}
	return all
}

func (s *site) run(r *http.Request) (*view, error) {
	c, err := s.library.look()
	if err != nil {
		return nil, err
	}
	name := r.PathValue("name")
	if name == "latest" && c.byName[name] == nil {
		if latest := s.library.latest(); c.byName[latest] != nil {
			return nil, redirect(runLink(latest))
		}
	}
	one := c.byName[name]
	if one == nil {
		return nil, errNoRun
	}
	p := &runPage{Run: one, Matrix: matricesOf(one)}
	for _, property := range one.properties() {
		if property.standing() != holds {
			p.Failing = append(p.Failing, property)
		}
	}
	slices.SortStableFunc(p.Failing, func(a, b property) int { return a.standing().rank - b.standing().rank })
	root, err := s.library.root.OpenRoot(name)
	if err != nil {
		return nil, errNoRun
	}
	defer root.Close()
	p.Files, p.More = filesOf(root, name)
	for _, other := range c.Runs { // the newest first
		switch {
		case other.Info.Scenario != one.Info.Scenario || other == one || one.Info.Scenario == "" || other.Verdict == nil:
		case newestFirst(other, one) < 0:
			p.Later = other
		case p.Earlier == nil:
			p.Earlier = other
		}
	}
	return &view{Template: "run", Title: title(one), Here: "runs", Content: p}, nil
}

// title is what to call a run.
func title(r *run) string {
	if r.Info.Scenario == "" {
		return r.Name
	}
	return fmt.Sprintf("%s, seed %d", r.Info.Scenario, r.Info.Seed)
}

func (s *site) compare(r *http.Request) (*view, error) {
	c, err := s.library.look()
	if err != nil {
		return nil, err
	}
	chosen := r.URL.Query()["run"]
	if len(chosen) != 2 {
		return nil, &failure{http.StatusBadRequest, fmt.Sprintf("Two runs can be compared, and %d are chosen: tick two in the list.", len(chosen))}
	}
	var two []*run
	for _, name := range chosen {
		one := c.byName[name]
		if one == nil {
			return nil, errNoRun
		}
		two = append(two, one)
	}
	a, b := two[0], two[1]
	if newestFirst(a, b) < 0 && r.URL.Query().Get("order") == "" { // the older one stands left
		a, b = b, a
	}
	return &view{Template: "compare", Title: "Two runs", Here: "runs", Content: compare(a, b, r.URL.Query().Get("all") != "")}, nil
}

// trendsPage is how scenarios have fared, or one of them.
type trendsPage struct {
	Courses  []course
	One      *course
	Subjects []string
	Subject  string
	Rates    []series
	Trends   []trend
}

func (s *site) trends(r *http.Request) (*view, error) {
	c, err := s.library.look()
	if err != nil {
		return nil, err
	}
	scenario := r.URL.Query().Get("scenario")
	if scenario == "" {
		return &view{Template: "trends", Title: "Trends", Here: "trends", Content: &trendsPage{Courses: coursesOf(c.Runs, maxStrip)}}, nil
	}
	p := &trendsPage{}
	for _, one := range coursesOf(c.Runs, maxTrend) {
		if one.Scenario == scenario {
			p.One = &one
		}
	}
	if p.One == nil {
		return nil, &failure{http.StatusNotFound, "There is no run of this scenario in the directory."}
	}
	for _, run := range p.One.Runs {
		for _, subject := range run.subjects() {
			if !slices.Contains(p.Subjects, subject) {
				p.Subjects = append(p.Subjects, subject)
			}
		}
	}
	if p.Subject = r.URL.Query().Get("subject"); !slices.Contains(p.Subjects, p.Subject) && len(p.Subjects) > 0 {
		p.Subject = p.Subjects[0]
	}
	p.Rates, p.Trends = ratesOf(p.One), trendsOf(p.One, p.Subject)
	return &view{Template: "trend", Title: "Trend of " + scenario, Here: "trends", Content: p}, nil
}

// file sends a file of a run.
func (s *site) file(w http.ResponseWriter, r *http.Request) {
	c, err := s.library.look()
	name, inside := r.PathValue("name"), r.PathValue("path")
	if err != nil || c.byName[name] == nil || !fs.ValidPath(inside) || inside == "." || path.Clean(inside) != inside {
		http.Error(w, "The directory has no such run, or the run no such file.", http.StatusNotFound)
		return
	}
	root, err := s.library.root.OpenRoot(name)
	if err != nil {
		http.Error(w, "The run cannot be opened.", http.StatusNotFound)
		return
	}
	defer root.Close()
	serveFile(w, r, root, inside)
}

// functions are what the templates call.
var functions = template.FuncMap{
	"standing": func(of any) standing {
		switch v := of.(type) {
		case *run:
			return standingOf(v)
		case property:
			return v.standing()
		case *property:
			return v.standing()
		}
		return standing{"–", "–", "none", 0}
	},
	"runLink": runLink, "fileLink": fileLink, "trendLink": trendLink, "compareLink": compareLink, "reportOf": reportOf,
	"time": stampText, "title": title, "number": number, "subject": subjectName,
	"isoTime":  func(r *run) string { return r.Info.Started.UTC().Format("2006-01-02T15:04:05Z") },
	"subjects": func(r *run) string { return strings.Join(r.subjects(), ", ") },
	"headline": headline, "told": func(p property) []string { return p.told() },
	"rounds": (*run).rounds, "calls": (*run).calls,
	"join":   func(words []string) string { return strings.Join(words, " ") },
	"plural": plural,
}

// subjectName is what to call a subject; a property of the whole run has none.
func subjectName(name string) string {
	if name == "" {
		return "(run)"
	}
	return name
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// headline is what to say of a run in one line: its worst property, or how far it
// has come.
func headline(r *run) string {
	switch {
	case r.Problem != "":
		return r.Problem
	case r.Verdict == nil && r.Unfinished:
		return "under way, or killed; recorded until " + stampText(r.Last)
	case r.Verdict == nil:
		return "no verdict.json; judge it: holdfast check " + r.Name
	}
	var worst *property
	failing, untested := 0, 0
	for i := range r.Verdict.Properties {
		p := &r.Verdict.Properties[i]
		switch s := p.standing(); {
		case s == holds:
			continue
		case s == vacuous:
			if untested++; r.Verdict.Verdict != checker.Vacuous {
				continue // measurements that no run has to make
			}
		default:
			failing++
		}
		if worst == nil || p.standing().rank < worst.standing().rank {
			worst = p
		}
	}
	if worst == nil {
		text := plural(len(r.Verdict.Properties)-untested, "promise") + " put to the test and kept"
		if untested > 0 {
			text += fmt.Sprintf(", %d not put to the test", untested)
		}
		return text
	}
	text := subjectName(worst.Subject) + " " + worst.Property + ": " + worst.Sentence
	if failing > 1 {
		text = fmt.Sprintf("%s (and %d more)", text, failing-1)
	}
	return text
}
