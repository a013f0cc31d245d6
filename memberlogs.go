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

	"github.com/etcd-holdfast/holdfast/reports"
)

const (
	// maxMemberLines is how many lines of a member's log a report gets, its last
	// ones; maxLoudLines is how many warnings and errors before those.
	maxMemberLines = 20_000
	maxLoudLines   = 5_000
	maxLogText     = 4 << 10 // bytes of one line
)

// memberLogs reads the members' logs of a run directory, on the clock that read
// zero at started. What cannot be read is left out: a log decides nothing.
func memberLogs(directory string, started time.Time) []reports.LogLine {
	files, err := filepath.Glob(filepath.Join(escapeGlob(directory), "members", "*.log"))
	if err != nil {
		return nil
	}
	var all []reports.LogLine
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			continue
		}
		all = append(all, memberLog(file, strings.TrimSuffix(filepath.Base(name), ".log"), started)...)
		file.Close()
	}
	return all
}

// escapeGlob makes a path a pattern that only it matches.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// memberLog reads one member's log, as far as it can be read.
func memberLog(r io.Reader, member string, started time.Time) []reports.LogLine {
	var loud, last []reports.LogLine
	var now time.Duration // a line without a time has that of the line before
	reader := bufio.NewReaderSize(r, maxLogText)
	for {
		text, more, err := reader.ReadLine()
		if err != nil {
			return append(loud, last...)
		}
		line := logLine(text, started, now)
		for more && err == nil { // the rest of one that is too long
			_, more, err = reader.ReadLine()
		}
		now, line.Member = line.Time, member
		if line.Text == "" {
			continue
		}
		if last = append(last, line); len(last) == 2*maxMemberLines {
			for _, old := range last[:maxMemberLines] {
				if old.Level != "info" && old.Level != "debug" && len(loud) < maxLoudLines {
					loud = append(loud, old)
				}
			}
			last = append(last[:0], last[maxMemberLines:]...)
		}
	}
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
