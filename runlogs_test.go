package holdfast

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/reports"
)

func TestAMembersLogIsReadOnTheRunsClock(t *testing.T) {
	started := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	m1 := tail{party: reports.Members, name: "m1", bytes: maxLogBytes}
	lines := m1.read(strings.NewReader(`{"level":"warn","ts":"2026-03-01T12:00:01.250Z","caller":"x.go:1","msg":"slow","took":"1s","a":3}
{"level":"info","ts":"2026-03-01T14:00:02.000+0200","msg":"zap's own way to write a zone"}

panic: without a time
{"level":"info","ts":"2026-03-01T11:59:59Z","msg":"before"}
{"msg":"`+strings.Repeat("long", maxLogText)+`"}
`), started)
	want := []struct {
		at          time.Duration
		level, text string
	}{
		{1250 * time.Millisecond, "warn", `slow a=3 took="1s"`},
		{2 * time.Second, "info", "zap's own way to write a zone"},
		{2 * time.Second, "", "panic: without a time"},
		{-time.Second, "info", "before"},
		{-time.Second, "", `{"msg":"long`},
	}
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d: %v", len(lines), len(want), lines)
	}
	for i, w := range want {
		if l := lines[i]; l.Time != w.at || l.Undated || l.Level != w.level || !strings.HasPrefix(l.Text, w.text) || l.Name != "m1" || len(l.Text) > maxLogText {
			t.Errorf("line %d is %.80v, want %v", i, l, w)
		}
	}
}

// put writes a file below a run directory.
func putLog(t *testing.T, directory, name, text string) {
	t.Helper()
	path := filepath.Join(directory, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Logs of members, clients and programs are read together; what a client says about
// the time is not believed, and a log of an older version, without times, is there.
func TestLogsOfAllPartiesAreRead(t *testing.T) {
	directory := t.TempDir()
	started := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	putLog(t, directory, "members/m1.log", `{"level":"info","ts":"2026-03-01T12:00:01Z","msg":"up"}`+"\n")
	putLog(t, directory, "clients/c1.log", "    1.250000 panic: no lock\n    1.250001 {\"level\":\"warn\",\"ts\":\"2036-03-01T12:00:01Z\",\"msg\":\"late\"}\n")
	putLog(t, directory, "clients/c2.log", "without a time\n")
	putLog(t, directory, "programs/c3.log", "    3.000000 hello\nonly half a li")
	if err := syscall.Mkfifo(filepath.Join(directory, "programs", "c4.log"), 0o600); err != nil {
		t.Skip(err)
	}
	if err := os.Symlink("/dev/zero", filepath.Join(directory, "clients", "c5.log")); err != nil {
		t.Fatal(err)
	}
	const ms = time.Millisecond
	want := []reports.LogLine{
		{Time: 1000 * ms, Name: "m1", Of: reports.Members, Level: "info", Text: "up"},
		{Time: 1250 * ms, Name: "c1", Of: reports.Clients, Text: "panic: no lock"},
		{Time: 1250*ms + time.Microsecond, Name: "c1", Of: reports.Clients, Level: "warn", Text: "late"},
		{Undated: true, Name: "c2", Of: reports.Clients, Text: "without a time"},
		{Time: 3000 * ms, Name: "c3", Of: reports.Programs, Text: "hello"},
		{Time: 3000 * ms, Name: "c3", Of: reports.Programs, Text: "only half a li"},
	}
	got := runLogs(directory, started)
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("line %d is %+v, want %+v", i, got[i], want[i])
		}
	}
}

// However long a log is, what is kept of it is bounded, by lines and by bytes; the end
// of it stays, and what was loud before.
func TestLogsAreBounded(t *testing.T) {
	for name, text := range map[string]string{"many": "x", "long": strings.Repeat("x", 1000)} {
		var b strings.Builder
		n := 5 * maxTailLines
		if name == "long" {
			n = 5000
		}
		for i := range n {
			level := "info"
			if i == 7 {
				level = "error"
			}
			b.WriteString(`{"level":"` + level + `","ts":"2026-03-01T12:00:01Z","msg":"` + text + `"}` + "\n")
		}
		b.WriteString(`{"level":"info","msg":"the end"}` + "\n")
		m1 := tail{party: reports.Members, name: "m1", bytes: 1 << 20}
		lines := m1.read(strings.NewReader(b.String()), time.Time{})
		size := 0
		for i := range lines {
			size += len(lines[i].Text)
		}
		if len(lines) > 2*maxTailLines+maxLoudLines || size > m1.bytes || size < m1.bytes/4 && name == "long" || len(lines) < 100 {
			t.Errorf("%s: %d lines of %d bytes", name, len(lines), size)
		}
		if lines[0].Level != "error" || lines[len(lines)-1].Text != "the end" {
			t.Errorf("%s: the first line is %.40v, the last %.40v", name, lines[0], lines[len(lines)-1])
		}
	}
}
