package synthetic

import (
	"bufio"
	"strconv"
	"time"
)

// line builds one JSON line. Its texts need no escapes. It shares no code with
// package history, whose reading it is there to test.
type line []byte

func begin(kind string) line { return append(line(`{"type":"`), kind+`"`...) }

func (l line) name(name string) line {
	return append(append(append(l, `,"`...), name...), `":`...)
}

func (l line) text(name, v string) line {
	if v == "" {
		return l
	}
	return append(append(append(l.name(name), '"'), v...), '"')
}

func (l line) number(name string, v int64) line {
	if v == 0 {
		return l
	}
	return strconv.AppendInt(l.name(name), v, 10)
}

func (l line) time(t time.Duration) line { return strconv.AppendInt(l.name("time"), int64(t), 10) }

func (l line) yes(name string, v bool) line {
	if !v {
		return l
	}
	return append(l.name(name), "true"...)
}

// end writes the line. A failed write shows when the writer is flushed.
func (l line) end(w *bufio.Writer) { _, _ = w.Write(append(l, "}\n"...)) }
