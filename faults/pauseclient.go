package faults

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/etcd-holdfast/holdfast/cluster"
)

// pauseClient makes a client stand still, as a process does that is stopped, or
// waits for memory or for its collector: it does nothing, and what it is told
// meanwhile it hears when it wakes. If that is after its lease has ended, it may
// go on as if it held what it held. Healed by letting it go on.
//
// A client that is a process is stopped with SIGSTOP, and proved to stand by what
// /proc says of its threads. In a simulation it is proved by turns that the client
// was kept from taking, or bytes kept back.
func pauseClient() Kind {
	return Kind{
		Name: "pause-client", Summary: "make a client stand still: it does nothing and hears nothing, and then goes on",
		OnClient: true,
		needs:    []need{needsPause},
		inject: func(ctx context.Context, w *World, choice *rand.Rand, target string) (*effect, error) {
			slot, client, _ := victim(w, choice, target)
			if client == "" {
				return nil, errNobody
			}
			if pauser, ok := w.Cluster.(cluster.Pauser); ok {
				return pauseSimulated(w, pauser, client), nil
			}
			return pauseProcess(ctx, w, slot, client)
		},
	}
}

// pauseProcess pauses a client that is a process.
func pauseProcess(ctx context.Context, w *World, slot, client string) (*effect, error) {
	pauser, ok := w.Clients.(ClientPauser)
	if !ok {
		return nil, errNobody
	}
	still, err := pauser.Pause(ctx, slot)
	switch {
	case err != nil:
		return nil, err
	case still == nil:
		return nil, errNobody
	}
	if now, _ := w.Clients.Current(slot); now != client { // it died, and the one who came after it was hit
		still.Thaw()
		return nil, errNobody
	}
	return &effect{
		target: client, client: client,
		prove: func(context.Context) (bool, string) { return still.Evidence() },
		heal:  func(context.Context) error { still.Thaw(); return nil },
	}, nil
}

// pauseSimulated pauses a client of a simulation.
func pauseSimulated(w *World, pauser cluster.Pauser, client string) *effect {
	h := &harm{}
	for _, m := range w.Cluster.Members() {
		h.impose(w.Cluster, client, m, bothWays())
	}
	kept, resume := pauser.Pause(client)
	return &effect{
		target: client, client: client,
		prove: func(ctx context.Context) (bool, string) {
			held, evidence := h.heldSeen(ctx)
			n := kept()
			return held || n > 0, fmt.Sprintf("%d things that it was about to do kept waiting, %s", n, evidence)
		},
		heal: func(ctx context.Context) error {
			resume()
			return h.lift(ctx)
		},
	}
}
