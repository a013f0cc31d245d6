package docker

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/moby/moby/client"

	"github.com/etcd-holdfast/holdfast/cluster"
)

// unplugged is a member whose pod is not in the network of the members.
type unplugged struct{ machine *machine }

// Unplug takes a member's pod out of the network of the members. Clients come in
// through another one, and still reach it.
func (c *Cluster) Unplug(ctx context.Context, member string) (cluster.Harm, error) {
	m, err := c.machineOf(member)
	if err == nil {
		_, err = c.engine.NetworkDisconnect(ctx, c.meeting.id, client.NetworkDisconnectOptions{Container: m.pod.id})
	}
	if err != nil {
		return nil, fmt.Errorf("disconnect member %s from the network: %w", member, err)
	}
	return &unplugged{m}, nil
}

// Evidence is that the engine no longer counts the pod to the network, and that the
// pod itself has no address in it.
func (u *unplugged) Evidence(ctx context.Context) (seen bool, evidence string) {
	c, p := u.machine.cluster, u.machine.pod
	network, err := c.engine.NetworkInspect(ctx, c.meeting.id, client.NetworkInspectOptions{})
	if err != nil {
		return false, err.Error()
	}
	if _, in := network.Network.Containers[p.id]; in {
		return false, "the engine says that its pod is in the network"
	}
	said, err := knock(ctx, c.way.to(p, doorPort), c.mark.run)
	if err != nil {
		return false, "the engine says that its pod is not in the network, but the pod does not answer: " + err.Error()
	}
	if slices.Contains(said, p.address.String()) {
		return false, fmt.Sprintf("its pod still has the address %s", p.address)
	}
	return true, fmt.Sprintf("the engine says that its pod is not in the network, and the pod that it has no %s, but %s",
		p.address, strings.Join(said, ", "))
}

// Undo puts the pod where it was, with the same address.
func (u *unplugged) Undo(ctx context.Context) error {
	c, p := u.machine.cluster, u.machine.pod
	network, err := c.engine.NetworkInspect(ctx, c.meeting.id, client.NetworkInspectOptions{})
	if err == nil {
		if _, in := network.Network.Containers[p.id]; in {
			return nil
		}
		err = c.engine.join(ctx, c.meeting, p.id, p.address)
	}
	if err != nil {
		return fmt.Errorf("connect member %s to the network again: %w", u.machine.place.Name, err)
	}
	return nil
}

func (c *Cluster) machineOf(member string) (*machine, error) {
	if _, err := c.Place(member); err != nil {
		return nil, err
	}
	return c.machines[member], nil
}
