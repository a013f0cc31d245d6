package members

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
)

// tailSize is how much of the end of a log is looked at.
const tailSize = 64 << 10

// Tail is what a server writes to its log, which others wrote to before.
type Tail struct {
	log  *os.File
	from int64
}

// NewTail begins at the end of a log.
func NewTail(log *os.File) (*Tail, error) {
	info, err := log.Stat()
	if err != nil {
		return nil, err
	}
	return &Tail{log: log, from: info.Size()}, nil
}

// Lines are the last ones, at least one.
func (t *Tail) Lines() []string {
	info, err := t.log.Stat()
	if err != nil {
		return []string{""}
	}
	from := max(t.from, info.Size()-tailSize)
	text := make([]byte, info.Size()-from)
	n, _ := t.log.ReadAt(text, from) // as much as there is
	return strings.Split(string(bytes.TrimSpace(text[:n])), "\n")
}

// Why is what a server that has ended said last of what it could not do: its last
// line of a level that ends it, the first line of a panic, or the last line, unless
// that is an ordinary one of a log.
func (t *Tail) Why() string {
	lines := t.Lines()
	for _, line := range lines {
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
			return line
		}
		var entry struct{ Level, Msg, Error string }
		if json.Unmarshal([]byte(line), &entry) == nil && (entry.Level == "fatal" || entry.Level == "panic") {
			return "etcd gave up: " + strings.TrimSuffix(entry.Msg+": "+entry.Error, ": ")
		}
	}
	if last := lines[len(lines)-1]; !json.Valid([]byte(last)) {
		return last
	}
	return ""
}
