package netguard

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// queue is how many packets netem keeps at most: more than members send in the
// longest delay.
const queue = 100_000

// netem is a queueing discipline that delays packets.
type netem struct {
	delay delay
	qdisc *netlink.Netem
}

// addNetem delays what leaves on the interface on which d.To is reached.
func addNetem(d delay) (*netem, error) {
	routes, err := netlink.RouteGet(d.To.AsSlice())
	if err != nil || len(routes) == 0 {
		return nil, errors.Join(errors.New("find the interface"), err)
	}
	q := netemOn(routes[0].LinkIndex, d)
	if err := unsupported(netlink.QdiscReplace(q)); err != nil {
		return nil, err
	}
	return &netem{delay: d, qdisc: q}, nil
}

func netemOn(index int, d delay) *netlink.Netem {
	return netlink.NewNetem(
		netlink.QdiscAttrs{LinkIndex: index, Parent: netlink.HANDLE_ROOT, Handle: netlink.MakeHandle(0x4f, 0)},
		netlink.NetemQdiscAttrs{Latency: microseconds(d.Delay), Jitter: microseconds(d.Jitter), Limit: queue},
	)
}

func microseconds(d time.Duration) uint32 {
	return uint32(min(max(d.Microseconds(), 0), math.MaxUint32))
}

func unsupported(err error) error {
	if errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("this kernel has no netem (CONFIG_NET_SCH_NETEM): %w", err)
	}
	return err
}

// count is how many packets were delayed.
func (n *netem) count() (int64, error) {
	l, err := netlink.LinkByIndex(n.qdisc.LinkIndex)
	if err != nil {
		return 0, err
	}
	all, err := netlink.QdiscList(l)
	if err != nil {
		return 0, err
	}
	for _, q := range all {
		if a := q.Attrs(); q.Type() == "netem" && a.Statistics != nil && a.Statistics.Basic != nil {
			return int64(a.Statistics.Basic.Packets), nil
		}
	}
	return 0, errors.New("the queueing discipline has gone")
}

// remove lets packets leave at once again.
func (n *netem) remove() error { return netlink.QdiscDel(n.qdisc) }

// probeDelay is why packets cannot be delayed here, or nil: it tries on the
// loopback interface, on which members do not speak to each other.
func probeDelay() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	q := netemOn(lo.Attrs().Index, delay{Delay: time.Microsecond})
	if err := unsupported(netlink.QdiscAdd(q)); err != nil {
		return err
	}
	return netlink.QdiscDel(q)
}

// NoDelayHere is why packets cannot be delayed with the kernel of this process, or
// nil if they can, or if this process may not find out. It tries in a namespace of
// its own.
func NoDelayHere() error {
	answer := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if unix.Unshare(unix.CLONE_NEWNET) != nil {
			answer <- nil
			return
		}
		answer <- probeDelay()
	}()
	return <-answer
}
