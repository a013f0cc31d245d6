// Package pipe puts a lock or an election to the test that is another program,
// in any language: it speaks one JSON object a line on its standard input and
// output, by the protocol of docs/protocol.md.
//
// A program may do what it likes: say what is no JSON, say nothing, say too
// much, or die. Nothing of it makes a call hang or takes memory without bound.
// Each rule that it breaks is told once a program, with its last lines.
package pipe

import (
	"cmp"
	"time"
)

// Version is the version of the protocol.
const Version = 1

// The limits of what a program may do.
const (
	// MaxLine is the longest line, in bytes.
	MaxLine = 1 << 20
	// maxStray is how many lines a program may write in its life that answer
	// nothing.
	maxStray = 1000
	// maxBurst is how many events it may tell at once, and maxRate how many a
	// second.
	maxBurst, maxRate = 5000, 1000
)

// Patience is how long programs are waited for. The zero value has the usual
// times.
type Patience struct {
	// Hello is how long a program may take to start and to say what it is; zero is
	// 15 s.
	Hello time.Duration
	// Overtime is how long after its deadline an answer is waited for before the
	// program is killed; zero is 5 s. A time for which it was frozen does not count.
	Overtime time.Duration
	// End is how long it may take to end when its input has ended, and again when it
	// was sent SIGTERM; zero is 5 s. A time for which it was frozen does not count.
	End time.Duration
}

func (p Patience) completed() Patience {
	p.Hello = cmp.Or(p.Hello, 15*time.Second)
	p.Overtime = cmp.Or(p.Overtime, 5*time.Second)
	p.End = cmp.Or(p.End, 5*time.Second)
	return p
}

// The rules that a program can break, in words for reports.
const (
	noJSON       = "a line that is no JSON object"
	noProtocol   = "a line that is not of the protocol"
	notAsked     = "an answer to what was not asked"
	outside      = "a key outside its prefix"
	contradicted = "an answer that contradicts itself"
	hung         = "it hung"
	flooded      = "it flooded its output"
	died         = "it died"
	closedOutput = "it closed its output"
	closedInput  = "it closed its input"
	notStarted   = "it did not start"
	refused      = "it refused to start"
	notEnded     = "it did not end when it was asked to"
	outOfTurn    = "it asked for the resource out of turn"
)
