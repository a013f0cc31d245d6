package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/etcd-holdfast/holdfast/internal/printable"
)

// status is a story with a line below it that changes. On a terminal the line is
// drawn over itself, and the story scrolls above it; else it is a plain line every
// few seconds, and nothing is ever taken back.
//
// It hides no cursor and changes no mode: whenever the process ends, all that it can
// leave on the terminal is that line.
type status struct {
	w io.Writer
	// width is how many columns the terminal has now; nil if it is none.
	width  func() int
	colour bool

	mu    sync.Mutex
	told  time.Time
	parts []part // what the line says
	drawn int    // columns of the line that is on the terminal
	over  bool
}

// part is a piece of the line.
type part struct {
	text string
	tone tone
}

// tone is a colour's escape sequence without its frame, or "" for none.
type tone string

const (
	red    tone = "31"
	yellow tone = "33"
)

const (
	// plainPause is between two plain lines.
	plainPause = 5 * time.Second
	// usualWidth is that of a terminal that does not know it.
	usualWidth = 80
	// gap is between two parts.
	gap = "  "
)

func newStatus(w io.Writer) *status {
	s := &status{w: w, told: time.Now(), colour: coloured(w)}
	if isTerminal(w) {
		s.width = func() int { return columnsOf(w) }
	}
	return s
}

// isTerminal is true for a terminal on which a line can be drawn over itself.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(file.Fd()))
}

// coloured is true for a terminal whose user has not asked for no colours
// (no-color.org).
func coloured(w io.Writer) bool { return os.Getenv("NO_COLOR") == "" && isTerminal(w) }

func columnsOf(w io.Writer) int {
	if file, ok := w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(file.Fd())); err == nil && columns > 0 {
			return columns
		}
	}
	return usualWidth
}

// set shows a line. What does not fit is cut off at its end.
func (s *status) set(parts ...part) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	s.parts = parts
	switch {
	case s.width != nil:
		s.write(s.erased() + s.line())
	case time.Since(s.told) >= plainPause:
		s.told = time.Now()
		var texts []string
		for _, p := range parts {
			texts = append(texts, printable.Text(p.text))
		}
		s.write(strings.Join(texts, gap) + "\n")
	}
}

// say writes a line of the story, or several.
func (s *status) say(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.write(s.erased() + printable.Text(line) + "\n" + s.line())
}

// end takes the line away, for good.
func (s *status) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if text := s.erased(); text != "" {
		s.write(text)
	}
	s.over, s.parts = true, nil
}

func (s *status) write(text string) {
	_, _ = io.WriteString(s.w, text) // there is nobody else to tell
}

// erased takes the line off the terminal. One that was drawn when the terminal was
// wider has been broken into several.
func (s *status) erased() string {
	if s.width == nil || s.drawn == 0 {
		return ""
	}
	above := (s.drawn - 1) / max(1, s.width())
	s.drawn = 0
	if above > 0 {
		return fmt.Sprintf("\r\x1b[%dA\x1b[J", above)
	}
	return "\r\x1b[K"
}

// line is the line as it is drawn: one column short of the terminal's, since the
// last one makes some terminals begin another.
func (s *status) line() string {
	if s.width == nil || len(s.parts) == 0 {
		return ""
	}
	var b strings.Builder
	left := max(0, s.width()-1)
	for i, p := range s.parts {
		text := strings.ReplaceAll(printable.Text(p.text), "\n", " ")
		if i > 0 {
			text = gap + text
		}
		if utf8.RuneCountInString(text) > left {
			text = cut(text, left)
		}
		left -= utf8.RuneCountInString(text)
		if p.tone != "" && s.colour && text != "" {
			text = "\x1b[" + string(p.tone) + "m" + text + "\x1b[0m"
		}
		b.WriteString(text)
		if left == 0 {
			break
		}
	}
	s.drawn = max(0, s.width()-1) - left
	return b.String()
}

// cut is the beginning of a text in so many columns, with a mark that there is more.
func cut(text string, columns int) string {
	if columns < 1 {
		return ""
	}
	return string([]rune(text)[:columns-1]) + "…"
}
