package reports

import (
	"bytes"
	_ "embed"
	"html/template"
	"regexp"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

//go:embed page.tmpl
var pageSource string

//go:embed style.css
var styleSource string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"plus": func(a, b int) int { return a + b }, "swatch": swatch, "unbroken": unbroken, "tight": tight}).Parse(pageSource))

// tight keeps a number and its unit on one line.
func tight(sentence string) string { return unit.ReplaceAllString(sentence, "$1\u00a0$2") }

var unit = regexp.MustCompile(`(\d) (s|ms|µs)\b`)

// unbroken writes a command such that lines break between its words only, and not
// between a flag and its value.
func unbroken(command string) template.HTML {
	var all []string
	for _, word := range strings.Split(command, " ") {
		if last := len(all) - 1; last >= 0 && strings.HasPrefix(all[last], "--") && !strings.ContainsAny(all[last], " =") && !strings.HasPrefix(word, "-") {
			all[last] += " " + word
			continue
		}
		all = append(all, word)
	}
	for i, words := range all {
		all[i] = `<span class="word">` + template.HTMLEscapeString(words) + `</span>`
	}
	return template.HTML(strings.Join(all, " "))
}

// page is what the template shows.
type page struct {
	Style     template.CSS
	Policy    string
	Report    *Report
	Headline  headline
	Again     string // how sure it is to show again
	Folded    bool   // the notes are many
	Facts     []fact
	Notes     []string
	Matrices  []matrix
	Sections  []*section
	More      int // groups that are only counted
	Overview  picture
	Pictures  []picture
	Legend    template.HTML // of all of them
	Left      int           // objects without a picture
	Latency   []*latency
	Spread    []*distribution
	Grants    []*granted
	Calls     string
	Listed    int // operations in Calls
	Unlisted  int // operations that are only counted
	Faults    []faultLine
	Uncounted int // faults that are only counted
	Logs      []logged
	LogsLeft  int
	LogsOf    string // whose they are
	Verdicts  []meaning
	Blames    []meaning
}

type fact struct{ Name, Value string }

// faultLine is a row of the table of faults.
type faultLine struct {
	ID                              int64
	Kind, Target, Planned, From, To string
	Begins, Ends                    string // for scripts
	Verified                        bool
	Evidence, Error                 string
}

// maxFaultLines bounds the table of faults.
const maxFaultLines = 500

// HTML returns report.html: one page that needs nothing but itself, safe to open
// whatever the strings in the report are, and bounded in size however many
// operations the run had. Its script makes the timeline interactive; where
// scripts are not run, everything is there all the same. The same report gives
// the same bytes.
func HTML(r *Report) ([]byte, error) {
	h, result := r.history(), r.result()
	x := newIndex(h)
	all := groups(result)
	line := newTimeline(h, x, all)
	p := &page{
		Style: template.CSS(styleSource), Policy: policy, Report: r, Facts: facts(r),
		Notes: result.Notes, Overview: line.overview(), Latency: latencies(h), Verdicts: verdictMeanings, Blames: blameMeanings,
	}
	p.Again, p.Folded = again(r, len(all) > 0), len(result.Notes) > 4
	p.Matrices = matrices(result, all)
	p.Sections, p.More = sections(h, x, all)
	p.Headline = newHeadline(r, all)
	p.Headline.show(p.Sections)
	p.Pictures, p.Legend, p.Left = line.pictures(all)
	p.Faults, p.Uncounted = faultLines(h)
	p.Spread, p.Grants = distributions(h, x), grants(h, x)
	p.Calls, p.Listed, p.Unlisted = callList(h, all)
	p.Logs, p.LogsLeft = logLines(r.Logs, instants(all))
	p.LogsOf = logsOf(r.Logs)
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return nil, err
	}
	out := visible(b.String())
	end, err := interactive(newExplorer(h, x, all), len(out))
	if err != nil {
		return nil, err
	}
	return []byte(out + end), nil
}

// again says how surely a run goes the same way once more, and shows what it showed.
func again(r *Report, shown bool) string {
	scripted := len(r.history().Header.Subjects) > 0
	for _, s := range r.history().Header.Subjects {
		scripted = scripted && s.Scripted
	}
	switch {
	case r.ClusterKind == simulated:
		return "Simulated: it goes the same way every time."
	case !shown:
		return "The seed fixes the faults and what the clients do, not their timing."
	case scripted:
		return "The clients follow a script: it should show again the first time."
	}
	return "The seed fixes the faults and what the clients do, not their timing: it may take some runs to show again."
}

// simulated is the kind of cluster whose runs repeat exactly.
const simulated = "sim"

func facts(r *Report) []fact {
	var out []fact
	add := func(name, value string) {
		if value != "" {
			out = append(out, fact{name, value})
		}
	}
	add("holdfast", r.HoldfastVersion)
	add("etcd", r.EtcdVersion)
	add("cluster", r.ClusterKind)
	add("Go", r.GoVersion)
	add("host", r.Host)
	if !r.Started.IsZero() {
		add("started", r.Started.UTC().Format(time.RFC3339))
	}
	return out
}

func faultLines(h *history.History) (out []faultLine, left int) {
	for i := range h.Faults {
		if len(out) == maxFaultLines {
			return out, len(h.Faults) - maxFaultLines
		}
		f := &h.Faults[i]
		line := faultLine{
			ID: f.ID, Kind: f.Kind, Target: f.Target, Planned: at(f.Planned), From: at(f.From), To: at(f.To),
			Verified: f.Verified, Evidence: f.Evidence, Error: f.Error,
		}
		if from, to := faultSpan(h, f); injected(f) {
			line.Begins, line.Ends = number6(from), number6(to)
		}
		if !injected(f) {
			line.From, line.To = "never", "–"
		} else if f.To == 0 {
			line.To = "not healed"
		}
		out = append(out, line)
	}
	return out, 0
}
