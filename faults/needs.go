package faults

import (
	"errors"
	"fmt"

	"github.com/etcd-holdfast/holdfast/cluster"
)

// Capabilities is what a kind of cluster can do, known before one is started.
type Capabilities struct {
	Kind    string
	Members int
	// These are as the interfaces of package cluster.
	Linked, Crasher, StatusReader, Pauser, LeaderMover, Stopper, Freezer, DiskSlower, DiskFiller bool
	Unplugger, Throttler, Squeezer, PacketLoser, PacketDelayer                                   bool
	// NoPeerLinks says why a Linked cluster has no links between its members; nil is
	// that it has.
	NoPeerLinks error
	// Fsync is true if members wait for their disks.
	Fsync bool
	// NoSlowDisk and NoFullDisk say why a cluster that has these interfaces cannot do
	// it, as it is set up or where it is; nil is that it can.
	NoSlowDisk, NoFullDisk error
	// NoPacketLoss says why a PacketLoser cannot do it where it is. NoPacketDelay does so
	// for a PacketDelayer, and is asked only where that matters, since it takes a look at
	// the kernel; nil is that it can, or that it will be seen.
	NoPacketLoss  error
	NoPacketDelay func() error
	// NoCompact, NoCompactHere and NoMove say why a fault may not touch all of a cluster
	// that is not the run's own; nil is that it may.
	NoCompact, NoCompactHere, NoMove error
	// Hooks are the names of the scenario's, and NoHooks says why none can be run.
	Hooks   []string
	NoHooks error
	// ClientPauser is as the interface of this package.
	ClientPauser bool
}

// CapabilitiesOf reads the capabilities off a cluster's type and size.
func CapabilitiesOf(c cluster.Cluster, members int) Capabilities {
	can := Capabilities{Kind: c.Kind(), Members: members}
	_, can.Linked = c.(cluster.Linked)
	_, can.Crasher = c.(cluster.Crasher)
	_, can.StatusReader = c.(cluster.StatusReader)
	_, can.Pauser = c.(cluster.Pauser)
	_, can.LeaderMover = c.(cluster.LeaderMover)
	_, can.Stopper = c.(cluster.Stopper)
	_, can.Freezer = c.(cluster.Freezer)
	_, can.DiskSlower = c.(cluster.DiskSlower)
	_, can.DiskFiller = c.(cluster.DiskFiller)
	_, can.Unplugger = c.(cluster.Unplugger)
	_, can.Throttler = c.(cluster.Throttler)
	_, can.Squeezer = c.(cluster.Squeezer)
	_, can.PacketLoser = c.(cluster.PacketLoser)
	_, can.PacketDelayer = c.(cluster.PacketDelayer)
	return can
}

// need returns why a cluster does not have what a fault needs, or nil.
type need func(Capabilities) error

// Who has what not every kind of cluster has.
const (
	allHave    = "embedded, process, sim, docker and external have"
	ownHave    = "embedded, process, sim and docker have"
	standHave  = "sim has, and clients that are processes or containers can: clients.as: processes, and programs: pipe in a workload"
	apartHave  = "process and docker have"
	processHas = "process has"
	processCan = "process can have"
	dockerHas  = "docker has"
)

// require is the need of something that clusters have by their kind.
func require(what, who string, has func(Capabilities) bool) need {
	return func(c Capabilities) error {
		if has(c) {
			return nil
		}
		return &Lack{What: what, kind: c.Kind, who: who}
	}
}

// Lack is that a kind of cluster has not what a fault needs.
type Lack struct {
	// What it is, for example "members that can crash".
	What      string
	kind, who string
}

// Error says also who has it.
func (l *Lack) Error() string {
	return fmt.Sprintf("it needs %s, which a cluster of kind %s does not have (%s)", l.What, l.kind, l.who)
}

func needsLinks(c Capabilities) error {
	return require("links through which all traffic passes", allHave, func(c Capabilities) bool { return c.Linked })(c)
}

func needsPeerLinks(c Capabilities) error {
	if err := require("links between its members", ownHave, func(c Capabilities) bool { return c.Linked })(c); err != nil {
		return err
	}
	return c.NoPeerLinks
}

func needsCrash(c Capabilities) error {
	return require("members that can crash", ownHave, func(c Capabilities) bool { return c.Crasher })(c)
}

func needsStatus(c Capabilities) error {
	return require("members that say who leads", allHave, func(c Capabilities) bool { return c.StatusReader })(c)
}

func needsPause(c Capabilities) error {
	return require("clients that can be made to stand still", standHave, func(c Capabilities) bool { return c.ClientPauser || c.Pauser && c.Linked })(c)
}

func needsMove(c Capabilities) error {
	if err := require("a leadership that can be handed over", allHave, func(c Capabilities) bool { return c.LeaderMover })(c); err != nil {
		return err
	}
	return c.NoMove
}

func needsCompact(c Capabilities) error { return c.NoCompact }

func needsCompactHere(c Capabilities) error { return c.NoCompactHere }

func needsStop(c Capabilities) error {
	return require("members that can be asked to end", apartHave, func(c Capabilities) bool { return c.Stopper })(c)
}

func needsFreeze(c Capabilities) error {
	return require("members that can be stopped where they are", apartHave, func(c Capabilities) bool { return c.Freezer })(c)
}

func needsFsync(c Capabilities) error {
	if !c.Fsync {
		return errors.New("it needs members that wait for their disks, and these do not: say fsync: true in cluster (embedded, process and docker can)")
	}
	return nil
}

func needsSlowDisk(c Capabilities) error {
	if err := require("disks that can be made slow", processHas, func(c Capabilities) bool { return c.DiskSlower })(c); err != nil {
		return err
	}
	return c.NoSlowDisk
}

func needsFullDisk(c Capabilities) error {
	if err := require("disks of the members' own that can be filled", processCan, func(c Capabilities) bool { return c.DiskFiller })(c); err != nil {
		return err
	}
	return c.NoFullDisk
}

func needsUnplug(c Capabilities) error {
	return require("members that can be taken out of their network", dockerHas, func(c Capabilities) bool { return c.Unplugger })(c)
}

func needsThrottle(c Capabilities) error {
	return require("members that can be given less of a processor", dockerHas, func(c Capabilities) bool { return c.Throttler })(c)
}

func needsSqueeze(c Capabilities) error {
	return require("members that can be given less memory", dockerHas, func(c Capabilities) bool { return c.Squeezer })(c)
}

func needsPacketLoss(c Capabilities) error {
	if err := require("members whose packets can get lost", dockerHas, func(c Capabilities) bool { return c.PacketLoser })(c); err != nil {
		return err
	}
	return c.NoPacketLoss
}

func needsPacketDelay(c Capabilities) error {
	if err := require("members whose packets can be delayed", dockerHas, func(c Capabilities) bool { return c.PacketDelayer })(c); err != nil || c.NoPacketDelay == nil {
		return err
	}
	return c.NoPacketDelay()
}

func needsThree(c Capabilities) error {
	if c.Members < 3 {
		return fmt.Errorf("it needs at least 3 members, and the cluster has %d", c.Members)
	}
	return nil
}
