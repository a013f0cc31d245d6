package datedlog

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// open opens a log whose clock the test moves.
func open(t *testing.T) (w *Writer, path string, clock *time.Duration) {
	t.Helper()
	clock = new(time.Duration)
	path = filepath.Join(t.TempDir(), "c1.log")
	w, err := Open(path, func() time.Duration { return *clock })
	if err != nil {
		t.Fatal(err)
	}
	return w, path, clock
}

func write(t *testing.T, w *Writer, text string) {
	t.Helper()
	if n, err := w.Write([]byte(text)); n != len(text) || err != nil {
		t.Errorf("%d of %d bytes, %v", n, len(text), err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Each line has the time at which it began, however it comes in pieces, and what was
// begun when the log ends is there, too.
func TestLinesAreDated(t *testing.T) {
	w, path, clock := open(t)
	*clock = 1204318 * time.Microsecond
	write(t, w, "one\ntw")
	*clock = 2 * time.Second
	write(t, w, "o\n\n")
	*clock = -1500 * time.Millisecond
	write(t, w, "before the clock")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, w, "too late\n")
	const want = "    1.204318 one\n    1.204318 two\n    2.000000 \n   -1.500000 before the clock\n"
	if got := read(t, path); got != want {
		t.Errorf("the log is\n%swant\n%s", got, want)
	}
	if text := string(Text([]byte(want))); text != "one\ntwo\n\nbefore the clock\n" {
		t.Errorf("its text is %q", text)
	}
	for line, at := range map[string]time.Duration{
		"    1.204318 one": 1204318 * time.Microsecond, "   -1.500000 before": -1500 * time.Millisecond, "   -0.250000 x": -250 * time.Millisecond,
		"123456.000001 late": 123456*time.Second + time.Microsecond, "    2.000000 ": 2 * time.Second,
	} {
		if got, _, ok := Split([]byte(line)); !ok || got != at {
			t.Errorf("%q is of %v, %v; want %v", line, got, ok, at)
		}
	}
	for _, line := range []string{"", "panic: no", "1.5 seconds and more have passed", "2026-11-28 03:00:00 x", "    1.20431x one", "    x.204318 one", strings.Repeat("9", 30) + ".000000 x"} {
		if _, text, ok := Split([]byte(line)); ok || string(text) != line {
			t.Errorf("%q has a time", line)
		}
	}
}

// Another writer goes on where the last one ended, and neither a line without end nor
// a flood makes a log longer than its limit.
func TestALogIsBounded(t *testing.T) {
	w, path, clock := open(t)
	write(t, w, strings.Repeat("x", 3*longest+1)+"\n")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(read(t, path), "\n"), "\n")
	if len(lines) != 4 || len(lines[0]) != longest+stampWidth || !strings.HasSuffix(lines[3], " x") {
		t.Errorf("a line of %d bytes became %d", 3*longest+1, len(lines))
	}
	again, err := Open(path, func() time.Duration { return *clock })
	if err != nil {
		t.Fatal(err)
	}
	flood := bytes.Repeat([]byte("flood\n"), 1000)
	for range Limit / len(flood) * 2 {
		write(t, again, string(flood))
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	if text := read(t, path); len(text) > Limit || len(text) < Limit-100 || !strings.HasSuffix(text, " flood\n") || !strings.Contains(text, "xxx") {
		t.Errorf("the log has %d bytes and ends with %q", len(text), text[len(text)-20:])
	}
}
