package netguard

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// ends are the two ends of a connection, seen from here.
type ends struct{ here, there netip.AddrPort }

// connections are those that were dialled at a port here, whatever has become of
// them, but for those that are over and only remembered.
func connections(port uint16) ([]ends, error) {
	var all []ends
	// A socket that listens for both versions of IP has connections of the sixth.
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		sockets, err := dump(family)
		if err != nil {
			return nil, err
		}
		for _, s := range sockets {
			if s.ID.SourcePort != port || s.State == netlink.TCP_LISTEN || s.State == netlink.TCP_TIME_WAIT || s.State == netlink.TCP_CLOSE {
				continue
			}
			here, ok1 := netip.AddrFromSlice(s.ID.Source)
			there, ok2 := netip.AddrFromSlice(s.ID.Destination)
			if ok1 && ok2 {
				all = append(all, ends{netip.AddrPortFrom(here.Unmap(), s.ID.SourcePort), netip.AddrPortFrom(there.Unmap(), s.ID.DestinationPort)})
			}
		}
	}
	return all, nil
}

// dump lists sockets. While they come and go the kernel may lose its place; then
// it is asked again.
func dump(family uint8) ([]*netlink.Socket, error) {
	const often = 5
	var err error
	for range often {
		var sockets []*netlink.Socket
		if sockets, err = netlink.SocketDiagTCP(family); err == nil {
			return sockets, nil
		}
		if !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	return nil, fmt.Errorf("list the sockets (CONFIG_INET_DIAG is needed): %w", err)
}

// open counts the connections to a port here by who dialled.
func open(port uint16) (map[address]int64, error) {
	all, err := connections(port)
	if err != nil {
		return nil, err
	}
	n := make(map[address]int64)
	for _, c := range all {
		n[c.there.Addr()]++
	}
	return n, nil
}

// destroy resets all connections that somebody has dialled at a port here, and
// returns how many there were.
func destroy(who address, port uint16) (n int64, err error) {
	all, err := connections(port)
	if err != nil {
		return 0, err
	}
	var problems []error
	for _, c := range all {
		if c.there.Addr() != who {
			continue
		}
		switch err := netlink.SocketDestroy(net.TCPAddrFromAddrPort(c.here), net.TCPAddrFromAddrPort(c.there)); {
		case err == nil:
			n++
		case errors.Is(err, unix.ENOENT): // it has ended meanwhile
		case errors.Is(err, unix.EOPNOTSUPP):
			return n, fmt.Errorf("this kernel cannot do it (CONFIG_INET_DIAG_DESTROY is needed): %w", err)
		default:
			problems = append(problems, err)
		}
	}
	return n, errors.Join(problems...)
}
