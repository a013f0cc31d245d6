// Package datedlog keeps what clients and programs write on standard error: each line
// with the time at which it was read, as seconds on the run's clock, so that it can be
// put beside what the run recorded then.
//
//	1.204318 panic: no lock
//
// A file that is cut off anywhere is one, and so is one without times.
package datedlog

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"
)

// Limit is how long a log may be, in bytes: what comes after is not kept.
const Limit = 4 << 20

// longest is how long a line may be before it is kept as several.
const longest = 16 << 10

// stampWidth is how many bytes a time takes, with the space after it.
const stampWidth = 13

// Writer writes a log. What is written after Close, or does not fit, is taken and
// thrown away: a log costs nobody anything.
type Writer struct {
	now func() time.Duration

	mu   sync.Mutex
	file *os.File
	left int64
	line []byte // begun, and when it was
	at   time.Duration
}

// Open opens a log, at its end, if there is one. now is the run's clock.
func Open(path string, now func() time.Duration) (*Writer, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	w := &Writer{now: now, file: file, left: Limit}
	if info, err := file.Stat(); err == nil {
		w.left = max(0, Limit-info.Size())
	}
	return w, nil
}

// Write takes text, of which each whole line is written at once.
func (w *Writer) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil {
		return len(text), nil
	}
	now := w.now()
	for rest := text; len(rest) > 0; {
		if len(w.line) == 0 {
			w.at = now
		}
		end := bytes.IndexByte(rest, '\n')
		part := rest
		if end >= 0 {
			part = rest[:end]
		}
		part = part[:min(len(part), longest-len(w.line))]
		w.line = append(w.line, part...)
		rest = rest[len(part):]
		whole := len(rest) > 0 && rest[0] == '\n'
		if whole {
			rest = rest[1:]
		}
		if whole || len(w.line) == longest {
			w.flush()
		}
	}
	return len(text), nil
}

// flush writes the line.
func (w *Writer) flush() {
	out := fmt.Appendf(nil, "%12.6f %s\n", w.at.Seconds(), w.line)
	w.line = w.line[:0]
	if w.left < int64(len(out)) {
		w.left = 0
		return
	}
	w.left -= int64(len(out))
	_, _ = w.file.Write(out) // there is nobody to tell
}

// Close writes what is left of the last line and closes the file.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil {
		return nil
	}
	if len(w.line) > 0 {
		w.flush()
	}
	err := w.file.Close()
	w.file = nil
	return err
}

var _ io.WriteCloser = (*Writer)(nil)

// Split takes the time off a line. Where there is none, ok is false and text is the
// whole line.
func Split(line []byte) (at time.Duration, text []byte, ok bool) {
	if len(line) < stampWidth {
		return 0, line, false
	}
	stamp, rest, spaced := bytes.Cut(bytes.TrimLeft(line, " "), []byte(" "))
	whole, fraction, pointed := bytes.Cut(stamp, []byte("."))
	if !spaced || !pointed || len(fraction) != 6 {
		return 0, line, false
	}
	seconds, err := strconv.ParseInt(string(whole), 10, 32)
	micros, bad := strconv.ParseUint(string(fraction), 10, 32)
	if err != nil || bad != nil {
		return 0, line, false
	}
	at = time.Duration(seconds)*time.Second + time.Duration(micros)*time.Microsecond
	if whole[0] == '-' {
		at = time.Duration(seconds)*time.Second - time.Duration(micros)*time.Microsecond
	}
	return at, rest, true
}

// Text is a log without its times.
func Text(log []byte) []byte {
	var out []byte
	for line := range bytes.Lines(log) {
		_, text, _ := Split(line)
		out = append(out, text...)
	}
	return out
}
