package history

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// The journal is JSON lines: a header, then a line per invocation, completion
// and event, told apart by "type". The encoder is written by hand because it
// stands between a client and its call. The decoder is in decode.go.

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
	Breach    string        `json:"breach"`
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
	Number    int64         `json:"number"`
	Detail    string        `json:"detail"`
	Requests  int64         `json:"requests"`
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
	b = appendInt(b, "number", op.Number)
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
	b = appendText(b, "breach", c.Breach)
	b = appendInt(b, "lease", c.Lease)
	b = appendText(b, "key", c.Key)
	b = appendInt(b, "token", c.Token)
	b = appendText(b, "value", c.Value)
	b = appendInt(b, "revision", c.Revision)
	b = appendInt(b, "number", c.Number)
	b = appendInt(b, "requests", c.Requests)
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
