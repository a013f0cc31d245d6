package faults

import (
	"context"
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

func (h *harm) lift(context.Context) error {
	for _, lift := range h.lifts {
		lift()
	}
	return nil
}

// cutSeen proves a cut: connections were severed or refused.
func (h *harm) cutSeen(context.Context) (bool, string) {
	var severed, refused int64
	for i, l := range h.links {
		now := l.Stats()
		severed += now.Severed - h.before[i].Severed
		refused += now.Refused - h.before[i].Refused
	}
	return severed+refused > 0, fmt.Sprintf("%d connections severed, %d refused", severed, refused)
}

// heldSeen proves a stall: bytes were kept back.
func (h *harm) heldSeen(context.Context) (bool, string) {
	var held int64
	for i, l := range h.links {
		held += l.Stats().HeldTotal.Total() - h.before[i].HeldTotal.Total()
	}
	return held > 0, fmt.Sprintf("%d bytes held back", held)
}
