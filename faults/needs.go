package faults

import (
	"fmt"

	"github.com/etcd-holdfast/holdfast/cluster"
)

// Capabilities is what a kind of cluster can do, known before one is started.
type Capabilities struct {
	Kind    string
	Members int
	// Linked, Crasher and StatusReader are as the interfaces of package
	// cluster.
	Linked, Crasher, StatusReader, Pauser, LeaderMover bool
	// ClientPauser is as the interface of this package.
	ClientPauser bool
}

// CapabilitiesOf reads the capabilities off a cluster's type and size.
func CapabilitiesOf(c cluster.Cluster, members int) Capabilities {
	_, linked := c.(cluster.Linked)
	_, crasher := c.(cluster.Crasher)
	_, status := c.(cluster.StatusReader)
	_, pauser := c.(cluster.Pauser)
	_, mover := c.(cluster.LeaderMover)
	return Capabilities{
		Kind: c.Kind(), Members: members, Linked: linked, Crasher: crasher, StatusReader: status, Pauser: pauser, LeaderMover: mover,
	}
}

// need returns why a cluster does not have what a fault needs, or nil.
type need func(Capabilities) error

func needsLinks(c Capabilities) error {
	if !c.Linked {
		return fmt.Errorf("it needs links through which all traffic passes, which a cluster of kind %s does not have (embedded and sim have)", c.Kind)
	}
	return nil
}

func needsCrash(c Capabilities) error {
	if !c.Crasher {
		return fmt.Errorf("it needs members that can crash, which a cluster of kind %s does not have (embedded and sim have)", c.Kind)
	}
	return nil
}

func needsStatus(c Capabilities) error {
	if !c.StatusReader {
		return fmt.Errorf("it needs members that say who leads, which a cluster of kind %s does not have (embedded and sim have)", c.Kind)
	}
	return nil
}

func needsPause(c Capabilities) error {
	if !c.ClientPauser && !(c.Pauser && c.Linked) {
		return fmt.Errorf("it needs clients that can be made to stand still, which a cluster of kind %s does not have (sim has, and clients that are processes can: clients.as: processes, or a workload with a pipe)", c.Kind)
	}
	return nil
}

func needsMove(c Capabilities) error {
	if !c.LeaderMover {
		return fmt.Errorf("it needs a leadership that can be handed over, which a cluster of kind %s does not have (embedded and sim have)", c.Kind)
	}
	return nil
}

func needsThree(c Capabilities) error {
	if c.Members < 3 {
		return fmt.Errorf("it needs at least 3 members, and the cluster has %d", c.Members)
	}
	return nil
}
