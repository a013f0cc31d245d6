package docker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
)

// subnetAttempts is how many subnets are tried before the engine's refusal counts.
const subnetAttempts = 20

// meeting is the network in which the members of a cluster meet: nothing else is in
// it, and it leads nowhere.
type meeting struct {
	id, name string
	subnet   netip.Prefix
}

// newMeeting creates the network in a subnet that nobody has.
func (e *engine) newMeeting(ctx context.Context, m mark) (*meeting, error) {
	taken := ownSubnets()
	var last error
	for range subnetAttempts {
		subnet := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(rand.IntN(256)), byte(rand.IntN(256)), 0}), 24)
		if overlaps(subnet, taken) {
			continue
		}
		created, err := e.NetworkCreate(ctx, m.name(""), client.NetworkCreateOptions{
			Driver: "bridge", Internal: true, Labels: m.labels(""),
			IPAM: &network.IPAM{Config: []network.IPAMConfig{{Subnet: subnet, Gateway: host(subnet, 1)}}},
		})
		if err == nil {
			return &meeting{id: created.ID, name: m.name(""), subnet: subnet}, nil
		}
		if last = err; ctx.Err() != nil || errdefs.IsConflict(err) {
			break
		}
	}
	if last == nil {
		last = errors.New("every subnet that was tried is in use on this machine")
	}
	return nil, fmt.Errorf("create the network of the members: %w", last)
}

// addressOf is that of the member with an index from 0 on.
func (m *meeting) addressOf(index int) netip.Addr { return host(m.subnet, byte(index+11)) }

func host(subnet netip.Prefix, number byte) netip.Addr {
	a := subnet.Addr().As4()
	a[3] = number
	return netip.AddrFrom4(a)
}

// ownSubnets are those in which this machine has an address: an engine heeds those of
// its own networks only.
func ownSubnets() (all []netip.Prefix) {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return nil // then nothing is avoided
	}
	for _, a := range addresses {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			all = append(all, p.Masked())
		}
	}
	return all
}

func overlaps(p netip.Prefix, others []netip.Prefix) bool {
	for _, other := range others {
		if p.Overlaps(other) {
			return true
		}
	}
	return false
}

// join gives a container its address in the network.
func (e *engine) join(ctx context.Context, m *meeting, container string, address netip.Addr) error {
	_, err := e.NetworkConnect(ctx, m.id, client.NetworkConnectOptions{
		Container:      container,
		EndpointConfig: &network.EndpointSettings{IPAMConfig: &network.EndpointIPAMConfig{IPv4Address: address}},
	})
	return err
}
