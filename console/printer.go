package console

import (
	"fmt"
	"io"
	"sync"
)

// colour is an escape sequence, or "" for none.
type colour string

const (
	plain  colour = ""
	green  colour = "\x1b[32m" // what is had
	yellow colour = "\x1b[33m" // what is waited for, or harmed
	red    colour = "\x1b[31m" // what failed or was lost
	dim    colour = "\x1b[2m"  // what was typed
	reset         = "\x1b[0m"
)

// printer writes whole lines.
type printer struct {
	mu       sync.Mutex
	w        io.Writer
	coloured bool
}

// line writes one line, or several if the text has more.
func (p *printer) line(c colour, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if p.coloured && c != plain {
		text = string(c) + text + reset
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = io.WriteString(p.w, text+"\n") // there is nobody else to tell
}
