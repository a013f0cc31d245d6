package reports

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// ServerRecord is a row of the server catalogue: how often the defect was found on
// the version that has it, and what was found on the one in which it is mended.
type ServerRecord struct {
	// Trials are those on the bad version.
	TrackRecord
	// Bad and Fixed are the versions of etcd.
	Bad, Fixed string
	// Mended are the trials on the fixed version. What they show are alarms.
	Mended []Trial
}

// Add adds a trial and returns it in a line.
func (t *ServerRecord) Add(fixed bool, trial Trial) string {
	if !fixed {
		return t.TrackRecord.Add(trial)
	}
	if trial.Found {
		trial.Alarms = append(trial.Alarms, fmt.Sprintf("%s %s: %s", t.Subject, trial.Property, trial.Sentence))
	}
	t.Mended = append(t.Mended, trial)
	line := "nothing, as it should be"
	if len(trial.Alarms) > 0 {
		line = "FOUND"
	}
	for _, alarm := range trial.Alarms {
		line += "\n  ALARM: " + alarm
	}
	for _, note := range trial.Notes {
		line += "\n  note: " + note
	}
	if len(trial.Alarms) > 0 {
		line += "\n  " + trial.Directory
	}
	return line
}

// Alarms counts the trials on the fixed version in which anything showed.
func (t *ServerRecord) Alarms() int {
	n := 0
	for _, trial := range t.Mended {
		if len(trial.Alarms) > 0 {
			n++
		}
	}
	return n
}

// Kept is true if the defect was found in every run on the bad version, and nothing
// in any on the fixed one.
func (t *ServerRecord) Kept() bool {
	return len(t.Trials) > 0 && t.Found() == len(t.Trials) && len(t.Mended) > 0 && t.Alarms() == 0
}

func (t *ServerRecord) columns() []string {
	c := t.TrackRecord.columns()
	return []string{c[0], c[2], t.Bad, c[3], c[4], t.Fixed, fmt.Sprintf("%d of %d", t.Alarms(), len(t.Mended))}
}

// ServerRecordTable writes the rows for a terminal.
func ServerRecordTable(rows []ServerRecord, w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tISSUE\tBAD\tFOUND\tSECONDS\tFIXED\tFOUND")
	for i := range rows {
		fmt.Fprintln(t, strings.Join(rows[i].columns(), "\t"))
	}
	return t.Flush()
}

// ServerRecordMarkdown returns the rows as a page; etcd's issues are linked.
func ServerRecordMarkdown(rows []ServerRecord, command string, on time.Time) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Track record: etcd's server\n\nMade by `%s` on %s. Each row is a scenario that reproduces one defect of etcd's\n"+
		"server on a version that has it: `holdfast run server/NAME` repeats it, and with `--etcd-version` it runs on another. *Found*\n"+
		"counts runs in which the defect showed by its own mechanism, on the bad version, and runs in which anything\n"+
		"showed, on the fixed one; *seconds* is the median time from the start of the load until it had shown.\n\n", command, on.UTC().Format(time.DateOnly))
	b.WriteString("| name | issue | bad | found | seconds | fixed | found | mechanism |\n|---|---|---|---|---|---|---|---|\n")
	for i := range rows {
		c := rows[i].columns()
		if rows[i].Issue != "" {
			c[1] = fmt.Sprintf("[#%s](https://github.com/etcd-io/etcd/issues/%s)", rows[i].Issue, rows[i].Issue)
		}
		fmt.Fprintf(&b, "| %s | %s |\n", strings.Join(c, " | "), strings.ReplaceAll(rows[i].Mechanism, "|", `\|`))
	}
	return b.Bytes()
}
