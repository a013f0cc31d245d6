// Package cluster says what a cluster under test is.
//
// A backend (embedded, and others beside it) gives a running etcd cluster
// whose every connection passes through package link. What a backend can do
// beyond serving is said by optional interfaces: a fault asks for the one that
// it needs, and a scenario that needs one which its cluster lacks is refused
// before anything starts.
package cluster

import (
	"context"

	"github.com/etcd-holdfast/holdfast/cluster/link"
)

// Cluster is a running etcd cluster. All methods are safe for concurrent use.
type Cluster interface {
	// Kind is the backend's name as scenarios spell it, for example "embedded".
	Kind() string
	// Version is the etcd version that the members run, for example "3.7.3".
	Version() string
	// Members lists the names of all members, running or not, in a fixed order.
	Members() []string
	// Connect gives party (a client's name) a link of its own to every member
	// and returns the client URLs to dial, in the order of Members. Connecting
	// the same party again returns the same URLs.
	Connect(party string) ([]string, error)
	// Disconnect closes party's connections and removes its links. Unknown
	// parties are ignored.
	Disconnect(party string)
	// Close stops every member and leaves nothing behind: no goroutine, no
	// port, no directory. It may be called more than once.
	Close() error
}

// Status is what one member says of itself.
type Status struct {
	Member  string
	Running bool
	// Leads is true while the member believes that it leads the cluster.
	Leads bool
	// Leader is the name of the member that it follows, "" if it knows none.
	Leader string
	Term   uint64
}

// StatusReader is a cluster whose members can be asked who leads, without
// passing through a link.
type StatusReader interface {
	// Status returns one entry a member, in the order of Members.
	Status() []Status
}

// Linked is a cluster whose links can be harmed.
type Linked interface {
	// Link returns the link over which from dials to. Parties are members
	// (peer traffic) or names given to Connect (client traffic). It returns
	// nil if there is no such link.
	Link(from, to string) *link.Link
}

// Crasher is a cluster whose members can die and come back.
type Crasher interface {
	// Crash ends the member at once: its connections are severed and nobody is
	// told. Its data stays.
	Crash(ctx context.Context, member string) error
	// Restart starts a crashed member on the data that it left, and returns
	// when it serves again or ctx ends.
	Restart(ctx context.Context, member string) error
}
