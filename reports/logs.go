package reports

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// LogLine is one line of a log.
type LogLine struct {
	// Time is on the run's clock; what was before its start is below zero. Undated is
	// true if it is not known.
	Time    time.Duration
	Undated bool
	// Name is whose log it is, Of what that is.
	Name string
	Of   Party
	// Level is "debug", "info", "warn", "error" and the like, or "".
	Level string
	Text  string
}

// Party is a kind of who keeps a log.
type Party int

// Who keeps logs: the members of the cluster, clients that are processes or containers
// of their own, and the programs of clients.
const (
	Members Party = iota
	Clients
	Programs
)

// who is whose line it is, in words.
func (l *LogLine) who() string {
	switch l.Of {
	case Clients:
		return "client " + l.Name
	case Programs:
		return "program of " + l.Name
	default:
		return l.Name
	}
}

// logsOf are the parties of which there are logs, in words.
func logsOf(lines []LogLine) string {
	var of [Programs + 1]bool
	for i := range lines {
		of[lines[i].Of] = true
	}
	var names []string
	for party, name := range []string{"members", "clients", "programs"} {
		if of[party] {
			names = append(names, name)
		}
	}
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}

// maxLogLines is how many lines of logs the page has.
const maxLogLines = 1500

// Loud is true for a line that tells of something out of the ordinary.
func (l *LogLine) Loud() bool {
	switch strings.ToLower(l.Level) {
	case "warn", "warning", "error", "dpanic", "panic", "fatal", "critical":
		return true
	}
	return l.Level == "" && (strings.HasPrefix(l.Text, "panic: ") || strings.HasPrefix(l.Text, "fatal error: "))
}

// logged is a line on the page.
type logged struct {
	Seconds              string // for scripts; "" if its time is not known
	At, Who, Level, Text string
	Loud                 bool
}

// logLines are the lines of all logs in the order of their times. Where they
// are too many, those stay that are loud and those nearest to near, and the
// number of the others is told.
func logLines(lines []LogLine, near []time.Duration) (out []logged, left int) {
	sorted := slices.Clone(lines)
	slices.SortStableFunc(sorted, func(a, b LogLine) int { return cmp.Compare(a.Time, b.Time) })
	if left = len(sorted) - maxLogLines; left > 0 {
		sorted = nearest(sorted, near)
	}
	for i := range sorted {
		l := &sorted[i]
		line := logged{number6(l.Time), at(l.Time), shorten(oneLine(l.who()), 24), shorten(oneLine(l.Level), 20), shorten(oneLine(l.Text), 400), l.Loud()}
		if l.Undated {
			line.Seconds, line.At = "", "–"
		}
		out = append(out, line)
	}
	return out, max(left, 0)
}

// nearest keeps maxLogLines lines in their order.
func nearest(sorted []LogLine, near []time.Duration) []LogLine {
	distance := func(l *LogLine) time.Duration {
		least := time.Duration(1 << 62)
		if l.Undated {
			return least
		}
		for _, t := range near {
			least = min(least, max(l.Time-t, t-l.Time))
		}
		if l.Loud() {
			least /= 8
		}
		return least
	}
	places := make([]int, len(sorted))
	far := make([]time.Duration, len(sorted))
	for i := range sorted {
		places[i], far[i] = i, distance(&sorted[i])
	}
	slices.SortStableFunc(places, func(a, b int) int { return cmp.Compare(far[a], far[b]) })
	places = places[:maxLogLines]
	slices.Sort(places)
	out := make([]LogLine, len(places))
	for i, k := range places {
		out[i] = sorted[k]
	}
	return out
}
