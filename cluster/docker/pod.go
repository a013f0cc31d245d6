package docker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

const (
	// PodRole is the role of offspring.Role in which this program is a pod.
	PodRole = "pod"
	// runVariable tells a pod to which run it belongs.
	runVariable = "HOLDFAST_RUN"
)

// The ports of a member, in its own network namespace.
const (
	clientPort = 2379
	peerPort   = 2380
	// doorPort is where the pod says whose it is.
	doorPort = 2378
)

// BePod is what a process in the role PodRole does: it stays until it is asked to end,
// and says whose it is, and which addresses it has, to whoever asks at its door. It returns
// the exit code.
func BePod() int {
	if err := bePod(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func bePod() error {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	door, err := net.Listen("tcp", fmt.Sprintf(":%d", doorPort))
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { _ = door.Close() })
	for {
		visitor, err := door.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintln(visitor, os.Getenv(runVariable), strings.Join(addresses(), " ")) // who has left does not want to know
		_ = visitor.Close()
	}
}

// addresses are those that this process can be reached at from elsewhere.
func addresses() (all []string) {
	own, _ := net.InterfaceAddrs() // none then
	for _, a := range own {
		if p, err := netip.ParsePrefix(a.String()); err == nil && !p.Addr().IsLoopback() {
			all = append(all, p.Addr().String())
		}
	}
	return all
}

// pod is the container that owns the network namespace of a member.
type pod struct {
	id      string
	address netip.Addr // among the members
	// published are the ways to ports of the pod that the engine's machine offers, by
	// port; own is the pod's address in the network through which they lead.
	published map[int][]netip.AddrPort
	own       netip.Addr
}

// newPod creates and starts the pod of a member. If that fails what was created
// carries the labels of m.
func (e *engine) newPod(ctx context.Context, m mark, image, member string, net *meeting, address netip.Addr, hosts []netip.Addr) (*pod, error) {
	ports, bindings := network.PortSet{}, network.PortMap{}
	for _, port := range []int{clientPort, doorPort} {
		p := network.MustParsePort(fmt.Sprintf("%d/tcp", port))
		ports[p] = struct{}{}
		for _, h := range hosts {
			bindings[p] = append(bindings[p], network.PortBinding{HostIP: h})
		}
	}
	created, err := e.provider.CreateContainer(ctx, testcontainers.ContainerRequest{
		Image: image, Name: m.name(member) + "-pod", Labels: m.labels(member),
		Env:          map[string]string{offspring.RoleVariable: PodRole, runVariable: m.run},
		ExposedPorts: []string{fmt.Sprintf("%d/tcp", clientPort), fmt.Sprintf("%d/tcp", doorPort)},
		HostConfigModifier: func(h *container.HostConfig) {
			h.PortBindings = bindings
			h.CapAdd = []string{"NET_ADMIN"}
		},
	})
	if err != nil {
		return nil, fmt.Errorf("create its pod: %w", err)
	}
	p := &pod{id: created.GetContainerID(), address: address}
	if err := e.join(ctx, net, p.id, address); err != nil {
		return nil, fmt.Errorf("give its pod an address among the members: %w", err)
	}
	if err := created.Start(ctx); err != nil {
		return nil, fmt.Errorf("start its pod: %w", err)
	}
	return p, e.locate(ctx, p, net)
}

// locate learns how a pod is reached.
func (e *engine) locate(ctx context.Context, p *pod, net *meeting) error {
	seen, err := e.ContainerInspect(ctx, p.id, client.ContainerInspectOptions{})
	if err != nil {
		return err
	}
	p.published = make(map[int][]netip.AddrPort)
	settings := seen.Container.NetworkSettings
	if settings == nil {
		return errors.New("the engine says nothing of the pod's network")
	}
	for port, bindings := range settings.Ports {
		for _, b := range bindings {
			if n, err := strconv.ParseUint(b.HostPort, 10, 16); err == nil {
				p.published[int(port.Num())] = append(p.published[int(port.Num())], netip.AddrPortFrom(b.HostIP, uint16(n)))
			}
		}
	}
	for name, endpoint := range settings.Networks {
		if name != net.name {
			p.own = endpoint.IPAddress
		}
	}
	return nil
}
