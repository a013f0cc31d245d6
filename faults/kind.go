package faults

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/cluster"
)

// Kind is one kind of fault. Each has a file of its own that says what it
// needs, what it does, how its effect is proved and how it heals.
type Kind struct {
	Name, Summary string
	// OnClient is true if it hits a client, false if it hits members.
	OnClient bool
	// Draws is true if there is something to choose besides the client that it
	// hits: which members, or which of two things.
	Draws bool
	// Instant is true if there is nothing to heal: it takes no time.
	Instant bool
	// Downs is how many members it takes out so that their clients notice and go
	// to others. Zero is none, or that clients may stay with a member that cannot
	// serve them.
	Downs int
	// SlowsDisk is true if the cluster has to be started so that its members' disks
	// can be made slow.
	SlowsDisk bool
	// needs lists what the cluster must be able to do.
	needs []need
	// inject does the harm. choice picks the victim; target, if not "", is
	// the client that a trigger chose. If it returns an effect beside an error,
	// the harm may have been done in part, and the effect is healed.
	inject func(ctx context.Context, w *World, choice *rand.Rand, target string) (*effect, error)
}

// effect is a fault that has been injected.
type effect struct {
	// target says who was hit, and client which client, if one was.
	target, client string
	// prove says whether the effect was seen, and what was seen. It is asked
	// right before healing.
	prove func(ctx context.Context) (bool, string)
	// heal undoes the harm; nil is nothing to undo. It must work, or return an
	// error, whatever else has happened meanwhile.
	heal func(ctx context.Context) error
}

// errNobody is why a fault was not injected: it found no victim.
var errNobody = errors.New("there was nobody to hit at that moment")

// World is what faults act on.
type World struct {
	Cluster cluster.Cluster
	Clients Clients
	// Admin is the harness's own client. No fault touches its links.
	Admin *clientv3.Client
	// Prefix is before every key of the run.
	Prefix string
	// Run is the run's name. Hooks are the scenario's, and Commander runs their
	// commands.
	Run       string
	Hooks     map[string]Hook
	Commander Commander
	// Interrupted, if set, ends when the run is interrupted, and for no other reason:
	// commands that inject or prove are killed then.
	Interrupted context.Context
	// LeaseOf, if set, returns the lease of a client that has not told of one, as far
	// as its keys in the store show it, or zero.
	LeaseOf func(client string) int64
	// Turn, if set, returns when it is a fault's turn to be injected, proved or
	// recorded: no two are at the same time then.
	Turn func(fault string)

	// The clients that were connected, and what is imposed on all of them.
	mu       sync.Mutex
	joined   map[string]bool
	standing map[*standing]bool
}

// Clients are the clients of a run, as faults see them. A slot is filled by
// one client after another.
type Clients interface {
	// Slots lists the slots of a subject's clients, or all if subject is "".
	Slots(subject string) []string
	// Current returns the name and lease of the client in a slot, or "".
	Current(slot string) (name string, lease int64)
	// Crash kills the client in a slot, and returns false if there was none.
	Crash(slot string) bool
}

// ClientPauser is Clients of which some can be made to stand still one by one,
// whatever their cluster can do: those that are processes.
type ClientPauser interface {
	// Pause makes the client in a slot stand still. It returns nil if that is none
	// that can be.
	Pause(ctx context.Context, slot string) (Standstill, error)
}

// Standstill is a client that stands still.
type Standstill interface {
	// Evidence says whether it does still, and what shows that.
	Evidence() (stands bool, evidence string)
	// Thaw lets it go on. It may be called more than once.
	Thaw()
}

// Kinds returns every kind of fault.
func Kinds() []Kind { return slices.Clone(kinds()) }

// kinds are all kinds. They are never changed.
var kinds = sync.OnceValue(func() []Kind {
	return []Kind{
		isolateLeader(), isolateMember(), split(), bridge(), oneWay(), crashMember(), stallMember(), stallLeader(),
		pauseMember(), pauseLeader(), restartMember(), rollingRestart(), killUnderLoad(),
		slowDisk(), stallDisk(), stallLeaderDisk(), fullDisk(),
		disconnectMember(), throttleMember(), squeezeMemory(), losePackets(), delayPackets(),
		cutClient(), cutClientPartly(), stallClient(), loseAnswer(), loseAnswerPartly(), resetClient(), pauseClient(), crashClient(),
		revokeLease(), moveLeader(), compact(), compactHere(),
	}
})

// Named returns the kind with the given name. Hooks are there by any name: which of
// them a scenario has, Unsupported knows.
func Named(name string) (Kind, bool) {
	if hook, ok := strings.CutPrefix(name, HookPrefix); ok {
		return hookKind(hook), true
	}
	for _, k := range kinds() {
		if k.Name == name {
			return k, true
		}
	}
	return Kind{}, false
}

// Unsupported returns why cluster c cannot have this fault, or nil.
func (k *Kind) Unsupported(c Capabilities) error {
	var reasons []error
	for _, n := range k.needs {
		if err := n(c); err != nil {
			reasons = append(reasons, err)
		}
	}
	return errors.Join(reasons...)
}
