package pipe

import (
	"bufio"
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

// tail keeps the last lines that a program has written.
type tail struct {
	mu    sync.Mutex
	lines []string
}

func (t *tail) add(line []byte) {
	text := strings.ToValidUTF8(string(line[:min(len(line), tailWidth)]), "\uFFFD")
	if len(line) > tailWidth {
		text += "…"
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lines = append(t.lines, text); len(t.lines) > tailLines {
		t.lines = append(t.lines[:0], t.lines[1:]...)
	}
}

// String quotes the lines, so that none of them can pass for something else.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	quoted := make([]string, len(t.lines))
	for i, line := range t.lines {
		quoted[i] = fmt.Sprintf("%q", line)
	}
	return strings.Join(quoted, " ")
}

var errLongLine = fmt.Errorf("a line of more than %d bytes", MaxLine)

// eachLine calls f for each line until it returns false, also for one at the
// end that has no line end. A line that is too long ends it with errLongLine,
// unless it may be cut.
func eachLine(r io.Reader, cut bool, f func(line []byte) bool) error {
	b := bufio.NewReaderSize(r, 32<<10)
	var line []byte
	for {
		part, err := b.ReadSlice('\n')
		if len(line)+len(part) > MaxLine {
			if !cut {
				return errLongLine
			}
			part = nil
		}
		line = append(line, part...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if len(line) > 0 && !f(bytes.TrimRight(line, "\r\n")) {
			return nil
		}
		if line = line[:0]; cap(line) > 64<<10 {
			line = nil
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}
