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
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/cluster/link"
	"github.com/etcd-holdfast/holdfast/history"
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

// Mourner is a cluster that knows of members that ended although nobody asked it to
// end them: those that gave up, and those that somebody else killed.
type Mourner interface {
	// Bereft says how a member ended, or returns nil if it has not or was ended by
	// Crash or Stop. It ceases to when the member is started again.
	Bereft(member string) error
}

// Linked is a cluster whose links can be harmed.
type Linked interface {
	// Link returns the link over which from dials to. Parties are members
	// (peer traffic, where the harness has a hand in it) or names given to Connect
	// (client traffic). It returns nil if there is no such link.
	Link(from, to string) Link
}

// Link is a way on which one party dials another. Package link has the real
// one, and says what the methods promise.
type Link interface {
	Impose(c link.Condition) (lift func())
	Stats() link.Stats
	Requests() int64
	Tap(f func(link.Message)) (remove func())
}

var _ Link = (*link.Link)(nil)

// Settler is a Link of which what Impose and lift ask for is done elsewhere, and can
// fail.
type Settler interface {
	// Settle sees to it that the link is in the condition that was asked for last,
	// and returns why it is not.
	Settle(ctx context.Context) error
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

// Stopper is a cluster whose members can be asked to end in good order.
type Stopper interface {
	// Stop asks the member to end, as an operator does, and ends it as Crash does
	// when ctx ends before it has. It returns whether the member ended by itself.
	// Restart starts it again.
	Stop(ctx context.Context, member string) (byItself bool, err error)
}

// Freezer is a cluster whose members can be made to stand still wherever they are,
// in the middle of whatever they do.
type Freezer interface {
	// Freeze returns when the member stands.
	Freeze(ctx context.Context, member string) (Frozen, error)
}

// Frozen is what stands still.
type Frozen interface {
	// Evidence looks whether it still stands, and has all the time, and says what
	// it saw.
	Evidence() (stands bool, evidence string)
	// Thaw lets it go on. It may be called more than once.
	Thaw()
}

// DiskSlower is a cluster whose members' disks can be made slow.
type DiskSlower interface {
	// SlowDisk makes each wait of the member for its disk, and each large write,
	// take longer by what delay returns; a negative delay lasts until Lift. Delay
	// is called from several goroutines.
	SlowDisk(member string, delay func() time.Duration) (SlowedDisk, error)
}

// SlowedDisk is a disk that was made slow.
type SlowedDisk interface {
	// Seen is how often the member was kept waiting, and for how long all in all.
	Seen() (calls int, total time.Duration)
	// Lift makes the disk as fast as it was. It may be called more than once.
	Lift()
}

// DiskFiller is a cluster whose members have disks of their own that can be filled.
type DiskFiller interface {
	// FillDisk leaves no room on the member's disk.
	FillDisk(ctx context.Context, member string) (FilledDisk, error)
}

// FilledDisk is a disk that was filled.
type FilledDisk interface {
	// Evidence looks whether there is still no room, and says what it saw and what
	// the member says.
	Evidence() (full bool, evidence string)
	// Empty makes room again, and starts the member if it had given up.
	Empty(ctx context.Context) error
}

// Harm is something that was done to a member from outside, and lasts.
type Harm interface {
	// Evidence looks whether it has had an effect, and says what it saw.
	Evidence(ctx context.Context) (seen bool, evidence string)
	// Undo ends it, and returns when the member is as it was. It may be called more
	// than once.
	Undo(ctx context.Context) error
}

// Unplugger is a cluster whose members can be taken out of the network in which
// they meet. Clients still reach them.
type Unplugger interface {
	Unplug(ctx context.Context, member string) (Harm, error)
}

// Throttler is a cluster whose members can be given less of a processor.
type Throttler interface {
	// Throttle leaves the member that many processors, which may be less than one.
	Throttle(ctx context.Context, member string, processors float64) (Harm, error)
}

// Squeezer is a cluster whose members can be given less memory.
type Squeezer interface {
	// Squeeze leaves the member a share of the memory that it has in use.
	Squeeze(ctx context.Context, member string, share float64) (Harm, error)
}

// PacketLoser is a cluster whose members' packets to each other can get lost.
type PacketLoser interface {
	// LosePackets loses a share of the packets between the member and the others.
	LosePackets(ctx context.Context, member string, share float64) (Harm, error)
}

// PacketDelayer is a cluster whose members' packets to each other can be slow.
type PacketDelayer interface {
	// DelayPackets delays each packet that the member sends to another, by delay
	// and up to jitter more or less.
	DelayPackets(ctx context.Context, member string, delay, jitter time.Duration) (Harm, error)
}

// LeaderMover is a cluster whose leadership can be handed over in good order.
type LeaderMover interface {
	// MoveLeader makes a member the leader, and returns when it is.
	MoveLeader(ctx context.Context, member string) error
}

// Addressed is a cluster whose members can be reached past all links, by those who
// harm it from outside.
type Addressed interface {
	// Endpoint is the client URL of a member, or "".
	Endpoint(member string) string
}

// Pauser is a cluster whose clients can be made to stand still.
type Pauser interface {
	// Pause makes a party do nothing until resume is called. What it sends and
	// receives is for its links to keep back. kept counts what it was about to do
	// since. resume may be called more than once.
	Pause(party string) (kept func() int, resume func())
}

// Dialler is a cluster whose clients do not dial URLs.
type Dialler interface {
	// Dial returns a client that talks through the links of a party, which was
	// connected. It ends with ctx. timeout is what clientv3.Config calls
	// DialTimeout.
	Dial(ctx context.Context, party string, timeout time.Duration) (*clientv3.Client, error)
}

// Sequencer is a cluster that decides in which order its parties do things.
type Sequencer interface {
	// Turn returns when it is the party's turn to do something that others may
	// see, and which slot it has for it. With alone nothing else of the party can ask
	// at the same time; else what, if not nil, tells apart what asks.
	Turn(party string, alone bool, what func() []byte) (slot uint64)
	// Still is true as long as nobody but who has that slot has done anything.
	Still(slot uint64) bool
}

// Teller is a cluster that tells what changes in it as it happens, so that
// nobody has to look.
type Teller interface {
	// Tell makes w hear of all changes from now on, and of how its members stand.
	// The methods of w must be quick and must not call the cluster.
	Tell(w Witness)
}

// Witness hears what changes in a cluster.
type Witness interface {
	// Changed tells of one change of one key. Those of one revision come one after
	// another, and at is when they were made. The change has no Time.
	Changed(at time.Time, c history.Change)
	// Led tells how a member stands.
	Led(s Status)
}
