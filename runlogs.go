package holdfast

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/internal/datedlog"
	"github.com/etcd-holdfast/holdfast/reports"
)

const (
	// maxLogBytes is how much text of all logs a report gets: each has an equal share.
	maxLogBytes = 64 << 20
	// maxTailLines is how many lines of one log a report gets at most, its last ones;
	// maxLoudLines is how many warnings and errors before those.
	maxTailLines = 20_000
	maxLoudLines = 5_000
	maxLogText   = 4 << 10 // bytes of one line
	// maxLogFiles is how many logs of clients, and of programs, are read.
	maxLogFiles = 1000
)

// logDirectories are where a run keeps logs, and whose they are.
var logDirectories = []struct {
	name  string
	party reports.Party
}{
	{"members", reports.Members}, {clientLogDirectory, reports.Clients}, {LogsOfPrograms, reports.Programs},
}

// runLogs reads the logs of a run directory, on the clock that read zero at started.
// What cannot be read is left out: a log decides nothing.
func runLogs(directory string, started time.Time) []reports.LogLine {
	type log struct {
		path  string
		party reports.Party
	}
	var logs []log
	for _, d := range logDirectories {
		paths, err := filepath.Glob(filepath.Join(escapeGlob(directory), d.name, "*.log"))
		if err != nil {
			continue
		}
		for _, path := range paths[:min(len(paths), maxLogFiles)] {
			// Nobody writes into a pipe that somebody put there: to open it would take for ever.
			if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() {
				logs = append(logs, log{path, d.party})
			}
		}
	}
	all := []reports.LogLine{}
	for _, l := range logs {
		file, err := os.Open(l.path)
		if err != nil {
			continue
		}
		t := tail{party: l.party, name: strings.TrimSuffix(filepath.Base(l.path), ".log"), bytes: maxLogBytes / len(logs)}
		all = append(all, t.read(file, started)...)
		_ = file.Close() // it was read only
	}
	return all
}

// escapeGlob makes a path a pattern that only it matches.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// tail is the end of one log, and what was loud before.
type tail struct {
	party reports.Party
	name  string
	bytes int // of its text at most

	loud, last         []reports.LogLine
	loudSize, lastSize int
}

// read reads a log, as far as it can be read.
func (t *tail) read(r io.Reader, started time.Time) []reports.LogLine {
	dated := false
	var now time.Duration // a line without a time has that of the line before
	reader := bufio.NewReaderSize(r, maxLogText)
	for {
		text, more, err := reader.ReadLine()
		if err != nil {
			return append(t.loud, t.last...)
		}
		var line reports.LogLine
		if at, said, ok := datedlog.Split(text); ok && t.party != reports.Members {
			line, dated = logLine(said, started, at), true
			line.Time = at // its own may be by another clock, or a claim
		} else {
			line = logLine(text, started, now)
			dated = dated || line.Time != now
		}
		for more && err == nil { // the rest of one that is too long
			_, more, err = reader.ReadLine()
		}
		now, line.Of, line.Name, line.Undated = line.Time, t.party, t.name, !dated && t.party != reports.Members
		if line.Text != "" {
			t.add(line)
		}
	}
}

// add keeps a line. Where there are too many the older half goes, but for what is loud.
func (t *tail) add(line reports.LogLine) {
	t.last, t.lastSize = append(t.last, line), t.lastSize+len(line.Text)
	if len(t.last) < 2*maxTailLines && t.lastSize <= t.bytes*3/4 {
		return
	}
	keep := max(1, len(t.last)/2)
	for _, old := range t.last[:len(t.last)-keep] {
		t.lastSize -= len(old.Text)
		if old.Loud() && len(t.loud) < maxLoudLines && t.loudSize+len(old.Text) <= t.bytes/4 {
			t.loud, t.loudSize = append(t.loud, old), t.loudSize+len(old.Text)
		}
	}
	t.last = append(t.last[:0], t.last[len(t.last)-keep:]...)
}

// logLine reads one line: zap's JSON, or whatever a process says when it dies.
func logLine(text []byte, started time.Time, now time.Duration) reports.LogLine {
	var fields map[string]json.RawMessage
	if json.Unmarshal(text, &fields) != nil {
		return reports.LogLine{Time: now, Text: string(text)}
	}
	line := reports.LogLine{Time: now}
	word := func(name string) (out string) {
		_ = json.Unmarshal(fields[name], &out) // "" where it is no text
		return out
	}
	if t, err := time.Parse(time.RFC3339Nano, zoned(word("ts"))); err == nil {
		line.Time = t.Sub(started)
	}
	line.Level, line.Text = word("level"), word("msg")
	for _, name := range []string{"ts", "level", "msg", "caller", "stacktrace"} {
		delete(fields, name)
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		fmt.Fprintf(&b, " %s=%s", name, fields[name])
	}
	line.Text += b.String()
	return line
}

// zoned is an instant whose zone has a colon, as RFC 3339 wants it; zap's ISO
// 8601 has none.
func zoned(s string) string {
	if n := len(s); n > 5 && (s[n-5] == '+' || s[n-5] == '-') {
		return s[:n-2] + ":" + s[n-2:]
	}
	return s
}
