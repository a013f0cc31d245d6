package faults

import (
	"context"
	"errors"
	"fmt"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/cluster/link"
)

// harm is a condition imposed on some links, with what they had seen before.
type harm struct {
	links  []cluster.Link
	before []link.Stats
	lifts  []func()
}

// impose puts condition on the link over which from dials to. A pair without
// a link is left out.
func (h *harm) impose(c cluster.Cluster, from, to string, condition link.Condition) {
	l := c.(cluster.Linked).Link(from, to)
	if l == nil {
		return
	}
	h.links = append(h.links, l)
	h.before = append(h.before, l.Stats())
	h.lifts = append(h.lifts, l.Impose(condition))
}

// cutBetween cuts everything between two members.
func (h *harm) cutBetween(c cluster.Cluster, a, b string) {
	h.impose(c, a, b, link.Condition{Cut: true})
	h.impose(c, b, a, link.Condition{Cut: true})
}

// silence keeps back whatever from says to to, whoever of the two dialled:
// raft's streams are dialled by the receiver.
func (h *harm) silence(c cluster.Cluster, from, to string) {
	h.impose(c, from, to, link.Stall(link.ToTarget))
	h.impose(c, to, from, link.Stall(link.ToDialler))
}

// injected is what a fault that imposed all this returns: the effect and, where links
// are harmed elsewhere, why it may not be in force.
func (h *harm) injected(ctx context.Context, e *effect) (*effect, error) { return e, h.settle(ctx) }

func (h *harm) lift(ctx context.Context) error {
	for _, lift := range h.lifts {
		lift()
	}
	return h.settle(ctx)
}

// settle sees to it that what was asked for is in force. Links may share what they
// are harmed by: its error is told once.
func (h *harm) settle(ctx context.Context) error {
	told := make(map[string]bool)
	var problems []error
	for _, l := range h.links {
		s, ok := l.(cluster.Settler)
		if !ok {
			continue
		}
		if err := s.Settle(ctx); err != nil && !told[err.Error()] {
			told[err.Error()] = true
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

// cutSeen proves a cut: connections were severed or refused, or packets rejected
// where links are of packets.
func (h *harm) cutSeen(context.Context) (bool, string) {
	var severed, refused, rejected int64
	for i, l := range h.links {
		now := l.Stats()
		severed += now.Severed - h.before[i].Severed
		refused += now.Refused - h.before[i].Refused
		rejected += now.Rejected.Total() - h.before[i].Rejected.Total()
	}
	evidence := fmt.Sprintf("%d connections severed, %d refused", severed, refused)
	if rejected > 0 {
		evidence += fmt.Sprintf(", %d packets rejected", rejected)
	}
	return severed+refused+rejected > 0, evidence
}

// heldSeen proves a stall: something was kept back.
func (h *harm) heldSeen(context.Context) (bool, string) {
	var all held
	for i, l := range h.links {
		all.add(l.Stats(), h.before[i])
	}
	return all.any(), fmt.Sprintf("%v held back", all)
}

// held is what stalls kept back: bytes, or, where links are of packets, packets, each
// as often as its sender tried.
type held struct{ bytes, packets int64 }

func (h *held) add(now, before link.Stats) {
	h.bytes += now.HeldTotal.Total() - before.HeldTotal.Total()
	h.packets += now.Dropped.Total() - before.Dropped.Total()
}

func (h held) any() bool { return h.bytes+h.packets > 0 }

func (h held) String() string {
	switch {
	case h.packets == 0:
		return fmt.Sprintf("%d bytes", h.bytes)
	case h.bytes == 0:
		return fmt.Sprintf("%d packets", h.packets)
	default:
		return fmt.Sprintf("%d bytes and %d packets", h.bytes, h.packets)
	}
}
