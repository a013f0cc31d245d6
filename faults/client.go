package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/etcd-holdfast/holdfast/cluster/link"
)

// victim returns the client that a trigger chose, or any.
func victim(w *World, choice *rand.Rand, target string) (slot, name string, lease int64) {
	slots := w.Clients.Slots("")
	if len(slots) == 0 {
		return "", "", 0
	}
	slot = slots[choice.IntN(len(slots))]
	for _, s := range slots {
		if current, _ := w.Clients.Current(s); target != "" && current == target {
			slot = s
		}
	}
	name, lease = w.Clients.Current(slot)
	if target != "" && name != target {
		return "", "", 0
	}
	return slot, name, lease
}

// onLinks makes a fault that imposes a condition on the links from a client to
// the members that pick chooses.
func onLinks(k Kind, condition link.Condition, prove func(*harm) func(context.Context) (bool, string), pick func(*rand.Rand, []string) []string) Kind {
	k.OnClient = true
	k.needs = []need{needsLinks}
	k.inject = func(_ context.Context, w *World, choice *rand.Rand, target string) (*effect, error) {
		_, client, _ := victim(w, choice, target)
		if client == "" {
			return nil, errNobody
		}
		members := pick(choice, w.Cluster.Members())
		h := &harm{}
		for _, m := range members {
			h.impose(w.Cluster, client, m, condition)
		}
		name := client
		if len(members) < len(w.Cluster.Members()) {
			name = fmt.Sprintf("%s from %s", client, sides(members))
		}
		return &effect{target: name, client: client, prove: prove(h), heal: h.lift}, nil
	}
	return k
}

func all(_ *rand.Rand, members []string) []string { return members }

// some picks at least one member, and not all unless there is but one.
func some(choice *rand.Rand, members []string) []string {
	members = shuffled(members, choice)
	return slices.Clone(members[:1+choice.IntN(max(len(members)-1, 1))])
}

func proveCut(h *harm) func(context.Context) (bool, string)  { return h.cutSeen }
func proveHeld(h *harm) func(context.Context) (bool, string) { return h.heldSeen }

// cutClient cuts a client off from all members: its connections are closed and
// new ones refused. Proved by severed and refused connections.
func cutClient() Kind {
	return onLinks(Kind{Name: "cut-client", Summary: "cut a client off from all members"},
		link.Condition{Cut: true}, proveCut, all)
}

// cutClientPartly cuts a client off from some members, so that it has to find
// the others. Proved as cutClient.
func cutClientPartly() Kind {
	return onLinks(Kind{Name: "cut-client-partly", Summary: "cut a client off from some members", Draws: true},
		link.Condition{Cut: true}, proveCut, some)
}

// stallClient keeps back all bytes between a client and all members, both
// ways, and delivers them at the end. Proved by bytes held back.
func stallClient() Kind {
	return onLinks(Kind{Name: "stall-client", Summary: "keep back all bytes between a client and the members"},
		link.Condition{StallToTarget: true, StallToDialler: true}, proveHeld, all)
}

// loseAnswer keeps back the members' answers to a client only, so that its
// requests are applied and it does not learn of it in time. Proved by bytes
// held back.
func loseAnswer() Kind {
	return onLinks(Kind{Name: "lose-answer", Summary: "keep back the members' answers to a client: requests are applied, answers come late or never"},
		link.Condition{StallToDialler: true}, proveHeld, all)
}

// loseAnswerPartly does so between a client and some members. The client takes
// turns with them: of its requests some are answered, and it goes on. Proved as
// loseAnswer.
func loseAnswerPartly() Kind {
	return onLinks(Kind{Name: "lose-answer-partly", Summary: "keep back some members' answers to a client, so that some of its requests are answered and it goes on", Draws: true},
		link.Condition{StallToDialler: true}, proveHeld, some)
}
