package docker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"
)

const (
	// knockPatience is how long a pod may take to answer at its door, and answerTime
	// how long an answer may be on its way.
	knockPatience = 15 * time.Second
	answerTime    = time.Second
	knockPause    = 50 * time.Millisecond
)

// HostVariable says at which address ports that the engine publishes are reached,
// where that cannot be found out.
const HostVariable = "TESTCONTAINERS_HOST_OVERRIDE"

// way is how the ports of pods are reached from here.
type way struct {
	name string
	// to returns the address of a port of a pod, "" if there is none.
	to func(p *pod, port int) string
}

// publishing returns the addresses of the engine's machine at which ports are
// published. Where that is this one nobody else reaches them; from a container on it
// they are reached at the gateway.
func (e *engine) publishing(ctx context.Context) []netip.Addr {
	if !e.here() {
		return []netip.Addr{netip.IPv4Unspecified()}
	}
	hosts := []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	if inContainer() {
		if gateway, err := e.gateway(ctx); err == nil {
			hosts = append(hosts, gateway)
		}
	}
	return hosts
}

// inContainer is true if this process is, or may be, in a container.
func inContainer() bool {
	_, err := os.Stat("/.dockerenv")
	return err == nil
}

func (e *engine) gateway(ctx context.Context) (netip.Addr, error) {
	text, err := e.provider.GetGatewayIP(ctx)
	if err != nil {
		return netip.Addr{}, err
	}
	return netip.ParseAddr(text)
}

// waysTo are the ways that may lead to pods, the likeliest first.
func (e *engine) waysTo(ctx context.Context) []way {
	var ways []way
	add := func(name, host string) {
		ways = append(ways, way{name + " " + host, func(p *pod, port int) string { return publishedAt(p, port, host) }})
	}
	if daemon, err := e.provider.DaemonHost(ctx); err == nil {
		add("the engine's host", daemon)
	}
	if _, said := os.LookupEnv(HostVariable); said {
		return ways
	}
	if e.here() {
		if gateway, err := e.gateway(ctx); err == nil {
			add("its gateway", gateway.String())
		}
		add("this machine", "127.0.0.1")
		ways = append(ways, way{"the pods' own addresses", func(p *pod, port int) string {
			if !p.own.IsValid() {
				return ""
			}
			return netip.AddrPortFrom(p.own, uint16(port)).String()
		}})
	}
	return ways
}

// publishedAt is where a port of a pod is reached at a host. A port may be published
// at several addresses, each time as another.
func publishedAt(p *pod, port int, host string) string {
	var other uint16
	for _, at := range p.published[port] {
		if at.Addr().String() == host || at.Addr().IsUnspecified() || at.Addr().IsLoopback() && isLoopback(host) {
			return net.JoinHostPort(host, fmt.Sprint(at.Port()))
		}
		if other == 0 {
			other = at.Port()
		}
	}
	if other == 0 {
		return ""
	}
	return net.JoinHostPort(host, fmt.Sprint(other))
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// wayTo is the first way on which a pod says that it is of a run. It may have to be
// waited for: it has just been started.
func (e *engine) wayTo(ctx context.Context, p *pod, run string) (way, error) {
	within, cancel := context.WithTimeout(ctx, knockPatience)
	defer cancel()
	ways := e.waysTo(ctx)
	tick := time.NewTicker(knockPause)
	defer tick.Stop()
	var found way
	tried := make([]error, len(ways))
	for {
		for i, w := range ways {
			if tried[i] = w.leads(within, p, run); tried[i] == nil {
				return w, nil
			}
		}
		select {
		case <-tick.C:
		case <-within.Done():
			if ctx.Err() != nil {
				return found, context.Cause(ctx)
			}
			return found, fmt.Errorf("ports that the Docker engine publishes are not reached from here (%w); say with %s=ADDRESS where they are, 127.0.0.1 for example",
				errors.Join(tried...), HostVariable)
		}
	}
}

// leads is why a way does not lead to a pod of a run, or nil.
func (w way) leads(ctx context.Context, p *pod, run string) error {
	door := w.to(p, doorPort)
	if door == "" {
		return fmt.Errorf("%s: nothing is published", w.name)
	}
	if _, err := knock(ctx, door, run); err != nil {
		return fmt.Errorf("%s: %w", w.name, err)
	}
	return nil
}

// knock asks at the door of a pod of a run, and returns the addresses that the pod has.
func knock(ctx context.Context, door, run string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	visit, err := (&net.Dialer{}).DialContext(ctx, "tcp", door)
	if err != nil {
		return nil, err
	}
	defer func() { _ = visit.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = visit.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	line, err := bufio.NewReader(visit).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("%s is not answered: %w", door, err)
	}
	if said := strings.Fields(line); len(said) > 0 && said[0] == run {
		return said[1:], nil
	}
	return nil, errors.New(door + " is somebody else's")
}
