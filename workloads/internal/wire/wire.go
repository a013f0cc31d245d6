// Package wire is what a client that is a process of its own and the harness say
// to each other, by net/rpc over one connection. The client asks, always.
package wire

import (
	"time"
)

// Service is the name under which the harness answers.
const Service = "Crew"

// Protocol is the version of what is said here. Both sides are the same program,
// unless somebody has replaced its file meanwhile.
const Protocol = 1

// What a client can wait for with Await.
const (
	// Healed and Final are the Env's, OthersFinished is the crew's.
	Healed         = "healed"
	Final          = "final"
	OthersFinished = "others finished"
	// Stop is the end of the run: the client is to end at once, whatever it does.
	Stop = "stop"
)

// Assignment is what a client is told first: who it is, and what it does.
type Assignment struct {
	Name, Slot, Subject string
	Index               int
	Heeds               bool
	Seed                int64
	Steady              bool
	Prefix              string
	Quiet               time.Duration
	Endpoints           []string
	// User and Password are those of etcd.
	User, Password string
	// Zero is when the run's clock read zero, on the machine's monotonic clock.
	Zero time.Duration
	// Traffic is the crew's, encoded by gob.
	Traffic []byte
}

// Recorded is what becomes of a record: whether it was taken, when, and the ID
// of an invocation.
type Recorded struct {
	Taken bool
	At    time.Duration
	ID    int64
}

// Access is one access to a protected resource.
type Access struct {
	Object        string
	Write, Fenced bool
	Token         int64
	Value         string
}

// Accessed is what comes of it. Panic is what the resource said if it panicked.
type Accessed struct {
	Value    string
	Position int64
	Stale    bool
	Panic    string
}

// Sight is a leader value that was seen, or is awaited until Deadline, on the
// run's clock.
type Sight struct {
	Object, Value string
	Deadline      time.Duration
}

// Won is a leadership that is kept for a replacement; There is false if there is
// none.
type Won struct {
	There  bool
	Object string
	Lease  int64
	Key    string
	Token  int64
}

// Meeting is about the meeting of a group. Deadline is on the run's clock, and
// until when the client waits for it; zero is for ever.
type Meeting struct {
	Group      int
	Last, Well bool
	Deadline   time.Duration
}

// Step is a line of a script, or that there is no more.
type Step struct {
	Line string
	More bool
}
