package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// status is a line that changes. On a terminal it is written over itself; else
// it is a plain line every few seconds.
type status struct {
	w        io.Writer
	terminal bool

	mu    sync.Mutex
	told  time.Time
	width int
}

// plainPause is between two plain lines.
const plainPause = 5 * time.Second

func newStatus(w io.Writer) *status {
	file, ok := w.(*os.File)
	return &status{w: w, terminal: ok && term.IsTerminal(int(file.Fd())), told: time.Now()}
}

// set shows a line.
func (s *status) set(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.terminal {
		if time.Since(s.told) >= plainPause {
			s.told = time.Now()
			fmt.Fprintln(s.w, line)
		}
		return
	}
	if columns, _, err := term.GetSize(int(s.w.(*os.File).Fd())); err == nil && columns > 1 && len(line) >= columns {
		line = line[:columns-1]
	}
	fmt.Fprintf(s.w, "\r%-*s", s.width, line)
	s.width = len(line)
}

// end takes the line away.
func (s *status) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.terminal && s.width > 0 {
		fmt.Fprintf(s.w, "\r%-*s\r", s.width, "")
	}
}
