package pipe

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

const (
	tailLines = 6
	tailWidth = 200
)

// tail keeps the last lines that a program has written, and the start of the one
// that it has not ended.
type tail struct {
	mu    sync.Mutex
	lines []string
	open  string
}

func (t *tail) add(line []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open = ""
	if t.lines = append(t.lines, shortened(line)); len(t.lines) > tailLines {
		t.lines = append(t.lines[:0], t.lines[1:]...)
	}
}

// begin keeps the start of a line that has no end yet.
func (t *tail) begin(line []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open = shortened(line)
}

func (t *tail) isOpen() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.open != ""
}

func shortened(line []byte) string {
	text := strings.ToValidUTF8(string(line[:min(len(line), tailWidth)]), "\uFFFD")
	if len(line) > tailWidth {
		text += "…"
	}
	return text
}

// String quotes the lines, so that none of them can pass for something else.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var quoted []string
	for _, line := range t.lines {
		quoted = append(quoted, fmt.Sprintf("%q", line))
	}
	if t.open != "" {
		quoted = append(quoted, fmt.Sprintf("%q (without a line end)", t.open))
	}
	return strings.Join(quoted, " ")
}

var errLongLine = fmt.Errorf("a line of more than %d bytes", MaxLine)

// eachLine calls f for each line until it returns false, also for one at the
// end that has no line end; begun is told of one that has none so far. A line that
// is too long ends it with errLongLine, unless it may be cut.
func eachLine(r io.Reader, cut bool, begun func(start []byte), f func(line []byte) bool) error {
	chunk := make([]byte, 32<<10)
	var line []byte
	for {
		n, err := r.Read(chunk)
		for rest := chunk[:n]; len(rest) > 0; {
			part, after, ended := bytes.Cut(rest, []byte("\n"))
			if rest = after; len(line)+len(part) > MaxLine {
				if !cut {
					begun(line)
					return errLongLine
				}
				part = part[:MaxLine-len(line)]
			}
			if line = append(line, part...); !ended {
				break
			}
			if !f(bytes.TrimRight(line, "\r")) {
				return nil
			}
			if line = line[:0]; cap(line) > 64<<10 {
				line = nil
			}
		}
		switch {
		case err != nil && len(line) > 0 && !f(bytes.TrimRight(line, "\r")):
			return nil
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case len(line) > 0:
			begun(line)
		}
	}
}
