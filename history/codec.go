package history

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// The journal is JSON lines: a header, then a line per invocation, completion
// and event, told apart by "type". The encoder is written by hand because it
// stands between a client and its call; the decoder is encoding/json.

const (
	lineHeader = "header"
	lineInvoke = "invoke"
	lineEvent  = "event"
)

// line is the union of all journal lines.
type line struct {
	Type      string        `json:"type"`
	ID        int64         `json:"id"`
	Time      time.Duration `json:"time"`
	Event     EventKind     `json:"event"`
	Client    string        `json:"client"`
	Subject   string        `json:"subject"`
	Object    string        `json:"object"`
	Kind      Kind          `json:"kind"`
	Mode      Mode          `json:"mode"`
	Deadline  time.Duration `json:"deadline"`
	Error     string        `json:"error"`
	Panicked  bool          `json:"panicked"`
	Lease     int64         `json:"lease"`
	TTL       time.Duration `json:"ttl"`
	Heeded    bool          `json:"heeded"`
	Key       string        `json:"key"`
	Token     int64         `json:"token"`
	Hold      int64         `json:"hold"`
	Operation int64         `json:"operation"`
	Value     string        `json:"value"`
	Prior     string        `json:"prior"`
	Revision  int64         `json:"revision"`
	Detail    string        `json:"detail"`
	Header    *Header       `json:"header"`
}

func appendHeader(b []byte, h *Header) ([]byte, error) {
	text, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("encode history header: %w", err)
	}
	b = append(b, `{"type":"header","header":`...)
	b = append(b, text...)
	return append(b, '}', '\n'), nil
}

func appendInvocation(b []byte, op *Operation) []byte {
	b = append(b, `{"type":"invoke","id":`...)
	b = strconv.AppendInt(b, op.ID, 10)
	b = appendInt(b, "time", int64(op.Call))
	b = appendText(b, "client", op.Client)
	b = appendText(b, "subject", op.Subject)
	b = appendText(b, "object", op.Object)
	b = appendText(b, "kind", string(op.Kind))
	b = appendText(b, "mode", string(op.Mode))
	b = appendInt(b, "deadline", int64(op.Deadline))
	b = appendInt(b, "lease", op.Lease)
	b = appendText(b, "key", op.Key)
	b = appendInt(b, "token", op.Token)
	b = appendInt(b, "hold", op.Hold)
	b = appendText(b, "value", op.Value)
	b = appendText(b, "prior", op.Prior)
	b = appendInt(b, "revision", op.Revision)
	return append(b, '}', '\n')
}

func appendCompletion(b []byte, c *Completion, at time.Duration) []byte {
	b = append(b, `{"type":"`...)
	b = append(b, c.Outcome...)
	b = append(b, `","id":`...)
	b = strconv.AppendInt(b, c.ID, 10)
	b = appendInt(b, "time", int64(at))
	b = appendText(b, "error", c.Error)
	b = appendTrue(b, "panicked", c.Panicked)
	b = appendText(b, "key", c.Key)
	b = appendInt(b, "token", c.Token)
	b = appendText(b, "value", c.Value)
	b = appendInt(b, "revision", c.Revision)
	return append(b, '}', '\n')
}

func appendEvent(b []byte, e *Event) []byte {
	b = append(b, `{"type":"event","event":"`...)
	b = append(b, e.Kind...)
	b = append(b, '"')
	b = appendInt(b, "time", int64(e.Time))
	b = appendText(b, "client", e.Client)
	b = appendText(b, "subject", e.Subject)
	b = appendText(b, "object", e.Object)
	b = appendInt(b, "lease", e.Lease)
	b = appendInt(b, "ttl", int64(e.TTL))
	b = appendTrue(b, "heeded", e.Heeded)
	b = appendInt(b, "operation", e.Operation)
	b = appendText(b, "value", e.Value)
	b = appendText(b, "key", e.Key)
	b = appendInt(b, "token", e.Token)
	b = appendInt(b, "revision", e.Revision)
	b = appendText(b, "detail", e.Detail)
	return append(b, '}', '\n')
}

func appendName(b []byte, name string) []byte {
	b = append(b, ',', '"')
	b = append(b, name...)
	return append(b, '"', ':')
}

func appendInt(b []byte, name string, v int64) []byte {
	if v == 0 && name != "time" {
		return b
	}
	return strconv.AppendInt(appendName(b, name), v, 10)
}

func appendTrue(b []byte, name string, v bool) []byte {
	if !v {
		return b
	}
	return append(appendName(b, name), "true"...)
}

func appendText(b []byte, name, v string) []byte {
	if v == "" {
		return b
	}
	b = appendName(b, name)
	for i := 0; i < len(v); i++ {
		if c := v[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			text, err := json.Marshal(v)
			if err != nil { // strings always marshal
				panic(err)
			}
			return append(b, text...)
		}
	}
	b = append(b, '"')
	b = append(b, v...)
	return append(b, '"')
}

// ReadJournal reads what a Recorder wrote. A last line that was cut in its
// middle is dropped, be it the header: that is how a killed run's journal ends.
// Any other fault is an error that names the line.
func ReadJournal(r io.Reader) (*History, error) {
	h := &History{Revisions: nil}
	open := make(map[int64]int) // ID → index of operations not yet completed
	err := eachLine(r, func(number int, text []byte) error {
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return err
		}
		if number == 1 {
			if l.Type != lineHeader || l.Header == nil {
				return errors.New("a history begins with its header line")
			}
			if l.Header.Version != FormatVersion {
				return fmt.Errorf("the history has format version %d; this program reads version %d", l.Header.Version, FormatVersion)
			}
			h.Header = *l.Header
			return nil
		}
		if l.Time < h.End {
			return fmt.Errorf("time %d is before the time of an earlier line, %d", l.Time, h.End)
		}
		h.End = l.Time
		switch l.Type {
		case lineInvoke:
			if n := len(h.Operations); n > 0 && h.Operations[n-1].ID >= l.ID {
				return fmt.Errorf("operation id %d does not rise", l.ID)
			}
			open[l.ID] = len(h.Operations)
			h.Operations = append(h.Operations, l.operation())
		case string(Ok), string(Fail), string(Info):
			k, ok := open[l.ID]
			if !ok {
				return fmt.Errorf("operation %d completes but is not open", l.ID)
			}
			delete(open, l.ID)
			l.complete(&h.Operations[k])
		case lineEvent:
			h.Events = append(h.Events, l.event())
		default:
			return fmt.Errorf("unknown line type %q", l.Type)
		}
		return nil
	})
	return h, err
}

func (l *line) operation() Operation {
	return Operation{
		ID: l.ID, Client: l.Client, Subject: l.Subject, Object: l.Object, Kind: l.Kind, Mode: l.Mode,
		Call: l.Time, Deadline: l.Deadline, Lease: l.Lease, Key: l.Key, Token: l.Token, Hold: l.Hold,
		Value: l.Value, Prior: l.Prior, Revision: l.Revision,
	}
}

func (l *line) complete(op *Operation) {
	op.Outcome, op.Return, op.Error, op.Panicked = Outcome(l.Type), l.Time, l.Error, l.Panicked
	set(&op.Key, l.Key)
	set(&op.Token, l.Token)
	set(&op.Value, l.Value)
	set(&op.Revision, l.Revision)
}

func set[T comparable](field *T, v T) {
	var zero T
	if v != zero {
		*field = v
	}
}

func (l *line) event() Event {
	return Event{
		Time: l.Time, Kind: l.Event, Client: l.Client, Subject: l.Subject, Object: l.Object,
		Lease: l.Lease, TTL: l.TTL, Heeded: l.Heeded, Operation: l.Operation,
		Value: l.Value, Key: l.Key, Token: l.Token, Revision: l.Revision, Detail: l.Detail,
	}
}

// eachLine calls f for each complete line. An error of f in the very last line
// is forgiven if that line has no line end: it was cut.
func eachLine(r io.Reader, f func(number int, text []byte) error) error {
	b := bufio.NewReaderSize(r, 1<<20)
	for number := 1; ; number++ {
		text, err := readLine(b)
		whole := err == nil
		if err != nil && err != io.EOF {
			return fmt.Errorf("line %d: %w", number, err)
		}
		text = bytes.TrimRight(text, "\r\n")
		if len(text) > 0 {
			if ferr := f(number, text); ferr != nil {
				if !whole {
					return nil
				}
				return fmt.Errorf("line %d: %w", number, ferr)
			}
		} else if number == 1 {
			return errors.New("line 1: the file is empty")
		}
		if !whole {
			return nil
		}
	}
}

func readLine(b *bufio.Reader) ([]byte, error) {
	text, err := b.ReadSlice('\n')
	if err != bufio.ErrBufferFull {
		return text, err
	}
	long := append([]byte(nil), text...)
	for err == bufio.ErrBufferFull {
		text, err = b.ReadSlice('\n')
		long = append(long, text...)
	}
	return long, err
}
