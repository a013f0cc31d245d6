package reports

import (
	"cmp"
	"slices"
	"time"
)

// LogLine is one line of a member's log.
type LogLine struct {
	// Time is on the run's clock; what was before its start is below zero.
	Time   time.Duration
	Member string
	// Level is "debug", "info", "warn", "error" and the like, or "".
	Level string
	Text  string
}

// maxLogLines is how many lines of logs the page has.
const maxLogLines = 1500

// loud is true for a line that tells of something out of the ordinary.
func (l *LogLine) loud() bool {
	switch l.Level {
	case "warn", "error", "dpanic", "panic", "fatal":
		return true
	}
	return false
}

// logged is a line on the page.
type logged struct {
	Seconds                 string // for scripts
	At, Member, Level, Text string
	Loud                    bool
}

// logLines are the lines of all members in the order of their times. Where they
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
		out = append(out, logged{number6(l.Time), at(l.Time), l.Member, l.Level, shorten(oneLine(l.Text), 400), l.loud()})
	}
	return out, max(left, 0)
}

// nearest keeps maxLogLines lines in their order.
func nearest(sorted []LogLine, near []time.Duration) []LogLine {
	distance := func(l *LogLine) time.Duration {
		least := time.Duration(1 << 62)
		for _, t := range near {
			least = min(least, max(l.Time-t, t-l.Time))
		}
		if l.loud() {
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
