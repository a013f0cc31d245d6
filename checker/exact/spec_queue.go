package exact

import (
	"encoding/binary"
	"strings"

	"github.com/etcd-holdfast/holdfast/history"
)

// QueueSpecification is a queue, first in, first out, in which a value may be more than
// once. A dequeue that was refused, or succeeded with Nil, met it empty; an
// enqueue is never refused. The state is its content: eight bytes a value,
// oldest first.
type QueueSpecification struct{}

// Initial implements Specification.
func (QueueSpecification) Initial() string { return "" }

// Step implements Specification.
func (QueueSpecification) Step(content string, c *history.Call, after []string) []string {
	switch {
	case c.Function == history.FunctionEnqueue && c.Known != history.Refused:
		return append(after, content+eight(c.Value))
	case c.Function != history.FunctionDequeue:
		return after
	case metEmpty(c):
		if content == "" {
			return append(after, content)
		}
	case content == "":
	case c.Known == history.Unknown || content[:8] == eight(c.Value):
		return append(after, content[8:])
	}
	return after
}

// Observes implements Specification.
func (QueueSpecification) Observes(c *history.Call) bool { return metEmpty(c) }

// Describe implements Specification.
func (QueueSpecification) Describe(t *history.Trace, content string) string {
	return contains(t, content, 8)
}

// PriorityQueueSpecification is a bag of values, each with a priority: a dequeue takes one
// of those whose priority is lowest. A dequeue that was refused, or succeeded
// with Nil, met it empty; an enqueue is never refused. The state is its
// content: sixteen bytes an item, by priority, then value.
type PriorityQueueSpecification struct{}

// Initial implements Specification.
func (PriorityQueueSpecification) Initial() string { return "" }

// Step implements Specification.
func (PriorityQueueSpecification) Step(content string, c *history.Call, after []string) []string {
	switch {
	case c.Function == history.FunctionEnqueue && c.Known != history.Refused:
		item := eight(c.Argument) + eight(c.Value)
		i := 0
		for i < len(content) && content[i:i+16] < item {
			i += 16
		}
		return append(after, content[:i]+item+content[i:])
	case c.Function != history.FunctionDequeue:
		return after
	case metEmpty(c):
		if content == "" {
			return append(after, content)
		}
		return after
	}
	for i := 0; i < len(content) && content[i:i+8] == content[:8]; i += 16 {
		item := content[i : i+16]
		if i > 0 && item == content[i-16:i] {
			continue // its twin left the same
		}
		if c.Known == history.Unknown || item[8:] == eight(c.Value) {
			after = append(after, content[:i]+content[i+16:])
		}
	}
	return after
}

// Observes implements Specification.
func (PriorityQueueSpecification) Observes(c *history.Call) bool { return metEmpty(c) }

// Describe implements Specification.
func (PriorityQueueSpecification) Describe(t *history.Trace, content string) string {
	return contains(t, content, 16)
}

// metEmpty says that a call is a dequeue that met an empty queue.
func metEmpty(c *history.Call) bool {
	return c.Function == history.FunctionDequeue &&
		(c.Known == history.Refused || c.Known == history.Succeeded && c.Value == history.Nil)
}

// eight writes a value so that strings compare as the values do.
func eight(v history.Value) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(v)^(1<<63))
	return string(b[:])
}

// contains tells the content of a queue, whose items have a width and end in
// their values: the first of them, because it can be long.
func contains(t *history.Trace, content string, width int) string {
	if content == "" {
		return "was empty"
	}
	const most = 4
	var all []string
	for i := width - 8; i < len(content) && len(all) < most; i += width {
		all = append(all, t.Text(history.Value(binary.BigEndian.Uint64([]byte(content[i:i+8]))^(1<<63))))
	}
	text := "held " + strings.Join(all, ", ")
	if len(content) > most*width {
		text += ", …"
	}
	return text + " (first to leave first)"
}
