package faults

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/cluster/link"
)

// stallMember keeps back all bytes from and to one member, peers' and clients',
// and delivers them at the end: what a member whose process is paused looks like
// from outside. Its process is not paused: its clock, its election timer and the
// leases that it counts as a leader go on, it works on what it had received, and
// as a leader it finds out that it lost its majority, where one that was paused
// would still believe that it leads when it wakes. The harness's own links stay
// as they are. Proved by bytes held back.
func stallMember() Kind {
	return Kind{
		Name: "stall-member", Summary: "keep back all bytes from and to one member", Draws: true,
		needs: []need{needsPeerLinks},
		inject: func(_ context.Context, w *World, choice *rand.Rand, _ string) (*effect, error) {
			member, err := anyRunning(w.Cluster, choice)
			if err != nil {
				return nil, err
			}
			s := w.stall(member)
			return &effect{target: member, prove: s.heldSeen, heal: func(context.Context) error { w.lift(s); return nil }}, nil
		},
	}
}

// stallLeader does the same to the member that leads. The evidence says whether
// the leader moved.
func stallLeader() Kind {
	return Kind{
		Name: "stall-leader", Summary: "keep back all bytes from and to the leader",
		needs: []need{needsPeerLinks, needsStatus},
		inject: func(_ context.Context, w *World, _ *rand.Rand, _ string) (*effect, error) {
			leader, _ := leaderOf(w.Cluster)
			if leader == "" {
				return nil, errNobody
			}
			s := w.stall(leader)
			return &effect{target: leader, prove: leaderMoved(w, leader, s.heldSeen), heal: func(context.Context) error { w.lift(s); return nil }}, nil
		},
	}
}

// standing is a stall of one member for everybody, also for clients that connect
// while it lasts. Its harm is guarded by World.mu.
type standing struct {
	world  *World
	member string
	harm   harm
}

func bothWays() link.Condition { return link.Condition{StallToTarget: true, StallToDialler: true} }

// Joined must be called when a client of the run has been connected: what lies
// on whole members lies on its links too.
func (w *World) Joined(client string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.joined == nil {
		w.joined = make(map[string]bool)
	}
	w.joined[client] = true
	for s := range w.standing {
		s.harm.impose(w.Cluster, client, s.member, bothWays())
	}
}

// Left may be called when a client's links have been removed.
func (w *World) Left(client string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.joined, client)
}

func (w *World) stall(member string) *standing {
	s := &standing{world: w, member: member}
	for _, other := range others(w.Cluster, member) {
		s.harm.impose(w.Cluster, member, other, bothWays())
		s.harm.impose(w.Cluster, other, member, bothWays())
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	clients := make(map[string]bool)
	for client := range w.joined {
		clients[client] = true
	}
	for _, slot := range w.Clients.Slots("") { // where nobody calls Joined
		client, _ := w.Clients.Current(slot)
		clients[client] = true
	}
	for _, client := range slices.Sorted(maps.Keys(clients)) {
		s.harm.impose(w.Cluster, client, member, bothWays())
	}
	if w.standing == nil {
		w.standing = make(map[*standing]bool)
	}
	w.standing[s] = true
	return s
}

func (w *World) lift(s *standing) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.standing, s)
	for _, lift := range s.harm.lifts {
		lift()
	}
}

func (s *standing) heldSeen(context.Context) (bool, string) {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	var peers, clients int64
	for i, l := range s.harm.links {
		now := l.Stats()
		held := now.HeldTotal.Total() - s.harm.before[i].HeldTotal.Total()
		if isMember(s.world.Cluster, now.From) {
			peers += held
		} else {
			clients += held
		}
	}
	return peers+clients > 0, fmt.Sprintf("%d bytes of peers and %d of clients held back", peers, clients)
}

func isMember(c cluster.Cluster, name string) bool {
	for _, m := range c.Members() {
		if m == name {
			return true
		}
	}
	return false
}
