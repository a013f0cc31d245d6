package faults

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/etcd-holdfast/holdfast/cluster"
)

// leaderOf returns the member that leads in the highest term, or "".
func leaderOf(c cluster.Cluster) (leader string, term uint64) {
	for _, s := range c.(cluster.StatusReader).Status() {
		if s.Running && s.Leads && s.Term >= term {
			leader, term = s.Member, s.Term
		}
	}
	return leader, term
}

// others returns all members but one.
func others(c cluster.Cluster, member string) []string {
	var rest []string
	for _, m := range c.Members() {
		if m != member {
			rest = append(rest, m)
		}
	}
	return rest
}

func anyMember(c cluster.Cluster, choice *rand.Rand) string {
	members := c.Members()
	return members[choice.IntN(len(members))]
}

// anyRunning returns a member that is not down, as far as can be told: what is
// cut off from one that is down proves nothing.
func anyRunning(c cluster.Cluster, choice *rand.Rand) (string, error) {
	member := anyMember(c, choice)
	if reader, ok := c.(cluster.StatusReader); ok {
		for _, s := range reader.Status() {
			if s.Member == member && !s.Running {
				return "", fmt.Errorf("%s is down", member)
			}
		}
	}
	return member, nil
}

// allRun is an error if a member is down already.
func allRun(c cluster.Cluster) error {
	for _, s := range c.(cluster.StatusReader).Status() {
		if !s.Running {
			return fmt.Errorf("%s is down already, and only one member may be", s.Member)
		}
	}
	return nil
}

// isDown proves that a member does not run.
func isDown(c cluster.Cluster, member string) (bool, string) {
	for _, s := range c.(cluster.StatusReader).Status() {
		if s.Member == member {
			return !s.Running, fmt.Sprintf("%s running: %t", member, s.Running)
		}
	}
	return false, "no such member"
}

// isolate cuts a member off from all others.
func isolate(w *World, member string) *harm {
	h := &harm{}
	for _, other := range others(w.Cluster, member) {
		h.cutBetween(w.Cluster, member, other)
	}
	return h
}

// leaderMoved adds to a proof whether the leader changed.
func leaderMoved(w *World, before string, prove func(context.Context) (bool, string)) func(context.Context) (bool, string) {
	return func(ctx context.Context) (bool, string) {
		ok, evidence := prove(ctx)
		after, term := leaderOf(w.Cluster)
		switch {
		case after == "":
			evidence += "; nobody leads"
		case after != before:
			evidence += fmt.Sprintf("; the leader moved from %s to %s (term %d)", before, after, term)
		default:
			evidence += fmt.Sprintf("; %s still leads (term %d)", after, term)
		}
		return ok, evidence
	}
}

// onlyOne picks the member that is to be taken out, which only one may be at a
// time, says who leads, and how reports call the member.
func onlyOne(c cluster.Cluster, choice *rand.Rand) (member, leader, target string, err error) {
	if err := allRun(c); err != nil {
		return "", "", "", err
	}
	member = anyMember(c, choice)
	leader, _ = leaderOf(c)
	target = member
	if member == leader {
		target += " (leader)"
	}
	return member, leader, target, nil
}
