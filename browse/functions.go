package browse

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"github.com/etcd-holdfast/holdfast/checker"
)

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
		return standing{Word: "–", Sign: "–", Class: "none"}
	},
	"runLink": runLink, "fileLink": fileLink, "trendLink": trendLink, "subjectLink": subjectLink, "compareLink": compareLink, "reportOf": reportOf,
	"time": stampText, "title": title, "number": number, "subject": subjectName,
	"moment":   momentOf,
	"subjects": func(r *run) string { return strings.Join(r.subjects(), ", ") },
	"headline": headline, "told": func(p property) []string { return p.told() },
	"rounds": (*run).rounds, "calls": (*run).calls,
	"join":    func(words []string) string { return strings.Join(words, ", ") },
	"command": func(words []string) string { return strings.Join(words, " ") },
	"plural":  plural,
}

// title is what to call a run.
func title(r *run) string {
	if r.Info.Scenario == "" {
		return r.Name
	}
	return fmt.Sprintf("%s, seed %d", r.Info.Scenario, r.Info.Seed)
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

// moment is a time in pieces, which a narrow page puts below one another.
type moment struct{ ISO, Day, Clock string }

// momentOf is when a run began, or nil if that is not known.
func momentOf(r *run) *moment {
	if r.Info.Started.IsZero() {
		return nil
	}
	t := r.Info.Started.UTC()
	return &moment{t.Format("2006-01-02T15:04:05Z"), t.Format("2006-01-02"), t.Format("15:04:05")}
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
	failing, idle := 0, 0
	for i := range r.Verdict.Properties {
		p := &r.Verdict.Properties[i]
		switch s := p.standing(); {
		case s == holds:
			continue
		case s == vacuous:
			if idle++; r.Verdict.Verdict != checker.Vacuous {
				continue // measurements that no run has to make
			}
		default:
			failing++
		}
		if worst == nil || worse(p, worst) < 0 {
			worst = p
		}
	}
	if worst == nil {
		text := plural(len(r.Verdict.Properties)-idle, "promise") + " put to the test and kept"
		if idle > 0 {
			text += fmt.Sprintf(", %d not put to the test", idle)
		}
		return text
	}
	text := subjectName(worst.Subject) + " " + worst.Property + ": " + worst.Sentence
	if failing > 1 {
		text = fmt.Sprintf("%s (and %d more)", text, failing-1)
	}
	return text
}
