package exact

import (
	"encoding/binary"
	"fmt"

	"github.com/etcd-holdfast/holdfast/history"
)

// lockKind is a kind of lock that a process can hold in more than one way.
type lockKind uint8

const (
	readWriteLock lockKind = iota
	semaphore
	reentrantLock
	leadershipLock
	fencedLock
)

// lockState is what holders have: each its number, in the order of the
// numbers, and how much, eight bytes together; and the last token.
type lockState struct {
	holders string
	// exclusive is true if the one holder is a writer, or the lock has no other kind.
	exclusive bool
	token     int64
}

// lockSpecification is a lock for the general search. Its calls are those that
// addressed returns, which say in Value who called, so that calls of unknown
// outcome by two processes are told apart.
type lockSpecification struct {
	kind    lockKind
	permits int64
}

// addressed copies calls with the process as Value, and the token as Argument
// of locks that have tokens.
func (l lockSpecification) addressed(calls []history.Call) []history.Call {
	copied := append([]history.Call(nil), calls...)
	for i := range copied {
		c := &copied[i]
		c.Value = history.Value(c.Process)
		if l.kind == fencedLock {
			c.Argument = history.Value(c.Revision)
			if c.Known == history.Unknown {
				c.Argument = 0
			}
		}
	}
	return copied
}

// Initial implements Specification.
func (lockSpecification) Initial() lockState { return lockState{} }

// Observes implements Specification.
func (lockSpecification) Observes(*history.Call) bool { return false }

// Step implements Specification.
func (l lockSpecification) Step(s lockState, c *history.Call, after []lockState) []lockState {
	next, allowed := l.take(s, c)
	if c.Function == history.FunctionRelease {
		next, allowed = l.release(s, c)
	}
	switch {
	case c.Known == history.Refused && !allowed:
		return append(after, s)
	case c.Known != history.Refused && allowed:
		return append(after, next)
	}
	return after
}

func (l lockSpecification) take(s lockState, c *history.Call) (lockState, bool) {
	if !acquires(c) {
		return s, false
	}
	own, others := has(s.holders, c.Value)
	switch l.kind {
	case semaphore:
		n := max(int64(c.Argument), 1)
		s.holders = give(s.holders, c.Value, n)
		return s, own+others+n <= l.permits
	case readWriteLock:
		if c.Shared {
			return lockState{holders: give(s.holders, c.Value, 1)}, !s.exclusive
		}
		return lockState{holders: give("", c.Value, 1), exclusive: true}, s.holders == ""
	case reentrantLock:
		return lockState{holders: give(s.holders, c.Value, 1), exclusive: true}, others == 0
	case leadershipLock:
		return lockState{holders: give("", c.Value, 1), exclusive: true}, others == 0
	}
	token := int64(c.Argument)
	rises := token > s.token || token == 0
	return lockState{holders: give("", c.Value, 1), exclusive: true, token: max(s.token, token)}, s.holders == "" && rises
}

func (l lockSpecification) release(s lockState, c *history.Call) (lockState, bool) {
	own, _ := has(s.holders, c.Value)
	n := int64(1)
	if l.kind == semaphore {
		n = max(int64(c.Argument), 1)
	}
	if own < n {
		return s, false
	}
	s.holders = give(s.holders, c.Value, -n)
	s.exclusive = s.exclusive && s.holders != ""
	return s, true
}

// Describe implements Specification.
func (l lockSpecification) Describe(t *history.Trace, s lockState) string {
	if s.holders == "" {
		return "was free"
	}
	text := "was held by"
	for i := 0; i < len(s.holders); i += 8 {
		if i > 0 {
			text += " and"
		}
		text += " " + t.Called(int32(binary.BigEndian.Uint32([]byte(s.holders[i:]))))
	}
	if s.token != 0 {
		text += fmt.Sprintf(" with token %d", s.token)
	}
	return text
}

// has returns how much a process holds, and all others together.
func has(holders string, process history.Value) (own, others int64) {
	for i := 0; i < len(holders); i += 8 {
		n := int64(binary.BigEndian.Uint32([]byte(holders[i+4:])))
		if binary.BigEndian.Uint32([]byte(holders[i:])) == uint32(process) {
			own += n
		} else {
			others += n
		}
	}
	return own, others
}

// give adds n to what a process holds.
func give(holders string, process history.Value, n int64) string {
	i := 0
	for i < len(holders) && binary.BigEndian.Uint32([]byte(holders[i:])) < uint32(process) {
		i += 8
	}
	before, rest := holders[:i], holders[i:]
	if rest != "" && binary.BigEndian.Uint32([]byte(rest)) == uint32(process) {
		n += int64(binary.BigEndian.Uint32([]byte(rest[4:])))
		rest = rest[8:]
	}
	if n == 0 {
		return before + rest
	}
	entry := binary.BigEndian.AppendUint32(nil, uint32(process))
	return before + string(binary.BigEndian.AppendUint32(entry, uint32(n))) + rest
}
