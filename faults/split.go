package faults

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
)

// split cuts the cluster into a majority and a minority; clients reach both.
// Proved by severed and refused peer connections, healed by lifting the cut.
func split() Kind {
	return Kind{
		Name: "split", Summary: "cut the cluster into a majority and a minority", Draws: true,
		needs: []need{needsPeerLinks, needsThree},
		inject: func(ctx context.Context, w *World, choice *rand.Rand, _ string) (*effect, error) {
			members := shuffled(w.Cluster.Members(), choice)
			minority, majority := members[:(len(members)-1)/2], members[(len(members)-1)/2:]
			h := &harm{}
			for _, a := range minority {
				for _, b := range majority {
					h.cutBetween(w.Cluster, a, b)
				}
			}
			return h.injected(ctx, &effect{target: sides(minority, majority), prove: h.cutSeen, heal: h.lift})
		},
	}
}

// bridge cuts the cluster into two halves that only one member, the bridge,
// can both reach. Proved and healed as split.
func bridge() Kind {
	return Kind{
		Name: "bridge", Summary: "cut the cluster into two halves that only one member can both reach", Draws: true,
		needs: []need{needsPeerLinks, needsThree},
		inject: func(ctx context.Context, w *World, choice *rand.Rand, _ string) (*effect, error) {
			members := shuffled(w.Cluster.Members(), choice)
			middle, rest := members[0], members[1:]
			left, right := rest[:len(rest)/2], rest[len(rest)/2:]
			h := &harm{}
			for _, a := range left {
				for _, b := range right {
					h.cutBetween(w.Cluster, a, b)
				}
			}
			return h.injected(ctx, &effect{target: sides(left, []string{middle}, right), prove: h.cutSeen, heal: h.lift})
		},
	}
}

func shuffled(members []string, choice *rand.Rand) []string {
	members = slices.Clone(members)
	choice.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	return members
}

// sides writes groups of members as "m1 | m2+m3".
func sides(groups ...[]string) string {
	var names []string
	for _, g := range groups {
		g = slices.Clone(g)
		slices.Sort(g)
		names = append(names, strings.Join(g, "+"))
	}
	return strings.Join(names, " | ")
}
