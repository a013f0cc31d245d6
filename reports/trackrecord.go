package reports

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// TrackRecord is a row of a catalogue: what it is to find, and how often and how
// soon it was found.
type TrackRecord struct {
	// Name is the scenario's, Mechanism how the defect comes about.
	Name, Mechanism string
	// Primitive and Subject are where it lives, Controls the subjects on which
	// nothing may show.
	Primitive, Subject string
	Controls           []string
	// Known is what the checker calls it, Issue its number upstream if it has
	// one.
	Known, Issue string
	Trials       []Trial
}

// Trial is what one run showed.
type Trial struct {
	// Found is true if the defect showed, by its own mechanism, After the load
	// had begun; Property is what it broke, and Sentence tells it.
	Found    bool
	After    time.Duration
	Property string
	Sentence string
	// Alarms are what showed besides: anything on a control, and what nothing
	// explains on the subject.
	Alarms []string
	// Notes are why the run proves less than it should.
	Notes []string
	// Directory is the run's, Etcd the version that its members ran.
	Directory, Etcd string
}

// Add adds a trial and returns it in a line.
func (t *TrackRecord) Add(trial Trial) string {
	t.Trials = append(t.Trials, trial)
	line := "MISSED"
	if trial.Found {
		line = fmt.Sprintf("found in %.1f s by %s", trial.After.Seconds(), trial.Property)
	}
	for _, alarm := range trial.Alarms {
		line += "\n  ALARM: " + alarm
	}
	for _, note := range trial.Notes {
		line += "\n  note: " + note
	}
	if !trial.Found || len(trial.Alarms) > 0 {
		line += "\n  " + trial.Directory
	}
	return line
}

// Found counts the trials in which the defect showed.
func (t *TrackRecord) Found() int {
	n := 0
	for _, trial := range t.Trials {
		if trial.Found {
			n++
		}
	}
	return n
}

// Clean is true if there was no trial with an alarm.
func (t *TrackRecord) Clean() bool {
	return !slices.ContainsFunc(t.Trials, func(trial Trial) bool { return len(trial.Alarms) > 0 })
}

// Median is the median time to find the defect, where it was found.
func (t *TrackRecord) Median() time.Duration {
	var times []time.Duration
	for _, trial := range t.Trials {
		if trial.Found {
			times = append(times, trial.After)
		}
	}
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return times[len(times)/2]
}

// columns are the row's texts, but for its mechanism.
func (t *TrackRecord) columns() []string {
	median, issue := "–", "–"
	if t.Found() > 0 {
		median = fmt.Sprintf("%.1f", t.Median().Seconds())
	}
	if t.Issue != "" {
		issue = "#" + t.Issue
	}
	passes := "passes"
	switch {
	case len(t.Trials) == 0:
		passes = "–"
	case !t.Clean():
		passes = "ALARM"
	}
	return []string{t.Name, t.Primitive, issue, fmt.Sprintf("%d of %d", t.Found(), len(t.Trials)), median, passes}
}

// TrackRecordTable writes the rows for a terminal.
func TrackRecordTable(rows []TrackRecord, w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tPRIMITIVE\tISSUE\tFOUND\tSECONDS\tCONTROL")
	for i := range rows {
		fmt.Fprintln(t, strings.Join(rows[i].columns(), "\t"))
	}
	return t.Flush()
}

// TrackRecordMarkdown returns the rows as a page; etcd's issues are linked.
func TrackRecordMarkdown(rows []TrackRecord, command string, on time.Time) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Track record\n\nMade by `%s`. Each row is a scenario that reproduces one defect of etcd's client primitives, with a\n"+
		"corrected subject beside it on which nothing may show: `holdfast run upstream/NAME` repeats it. *Found* counts\nruns in which the defect showed by its own "+
		"mechanism, not by just any violation; *seconds* is the median time\nfrom the start of the load until it had shown.\n\n", command)
	b.WriteString("| name | primitive | issue | found | seconds | control | last checked | mechanism |\n|---|---|---|---|---|---|---|---|\n")
	for i := range rows {
		c := rows[i].columns()
		if rows[i].Issue != "" {
			c[2] = fmt.Sprintf("[#%s](https://github.com/etcd-io/etcd/issues/%s)", rows[i].Issue, rows[i].Issue)
		}
		checked := "–"
		if n := len(rows[i].Trials); n > 0 {
			checked = fmt.Sprintf("etcd %s, %s", rows[i].Trials[n-1].Etcd, on.UTC().Format(time.DateOnly))
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", strings.Join(c, " | "), checked, strings.ReplaceAll(rows[i].Mechanism, "|", `\|`))
	}
	return b.Bytes()
}
