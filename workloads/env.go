package workloads

import (
	"context"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/quantity"
)

// Env is what the clients of a run share.
type Env struct {
	Seed     int64
	Recorder Recorder
	// Prefix is before every key of the run.
	Prefix string
	// Login is as whom clients ask etcd.
	Login Login
	// Connect opens a client's own links and returns the URLs to dial;
	// Disconnect removes them.
	Connect    func(party string) ([]string, error)
	Disconnect func(party string)
	// Dial, if set, connects a party that does not dial URLs.
	Dial func(ctx context.Context, party string, timeout time.Duration) (*clientv3.Client, error)
	// Requests, if set, returns for a party that is connected the function that
	// tells how many requests its links have carried since.
	Requests func(party string) func() int64
	// Launch, if set, starts a process for a client, which does what ServeClient
	// does. Else clients are in this process.
	Launch func(client string) (Process, error)
	// Healed is closed when every fault is healed: clients end their round and
	// make a last one.
	Healed <-chan struct{}
	// Final is closed when the last leaders may step down and every session
	// be closed.
	Final <-chan struct{}
	// Await returns when event has happened for the nth time since the run began
	// to the client in a slot of subject, or with an error when ctx has ended;
	// "" is any slot. Events are those that Crew.Awaits names.
	Await func(ctx context.Context, subject, slot, event string, nth int) error
	// Quiet is how long the last round may take.
	Quiet time.Duration
	// Steady makes the pauses that Decision does not have, such as that before a
	// crashed client's replacement comes, the same each time, whatever the seed.
	Steady bool
}

// Login is a user of etcd's and the password; the zero value is nobody. It is never
// recorded, and its text does not say the password.
type Login struct{ User, Password string }

// String says who it is.
func (l Login) String() string { return "user " + l.User }

// GoString says who it is.
func (l Login) GoString() string { return l.String() }

// Recorder takes down what clients do, as a history.Recorder does.
type Recorder interface {
	Invoke(op *history.Operation) bool
	Complete(c *history.Completion) (time.Duration, bool)
	Event(e history.Event) bool
	Clock() *history.Clock
}

// pauses returns the function that draws the pauses of one purpose.
func (e *Env) pauses(label string, span quantity.Span) func() time.Duration {
	if e.Steady {
		return func() time.Duration { return (span.Min + span.Max) / 2 }
	}
	r := Stream(e.Seed, label)
	return func() time.Duration { return span.Draw(r) }
}

// LeasePrefix is where, below the run's prefix, each session keeps a key on its
// lease, so that the revision log shows when the lease ended even if the
// subject has no key on it.
const LeasePrefix = "leases/"

// GuardPrefix is where, below the run's prefix, guarded writes go.
const GuardPrefix = "guarded/"

// healed is true once every fault is healed.
func (e *Env) healed() bool {
	select {
	case <-e.Healed:
		return true
	default:
		return false
	}
}

// sleep waits for d, or until ctx or one of the channels ends it. A nil channel
// ends nothing.
func sleep(ctx context.Context, d time.Duration, end, orEnd <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-end:
	case <-orEnd:
	}
}
