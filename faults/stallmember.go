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
		inject: func(ctx context.Context, w *World, choice *rand.Rand, _ string) (*effect, error) {
			member, err := anyRunning(w.Cluster, choice)
			if err != nil {
				return nil, err
			}
			s := w.stall(member)
			return s.injected(ctx, &effect{target: member, prove: s.heldSeen})
		},
	}
}

// stallLeader does the same to the member that leads. The evidence says whether
// the leader moved.
func stallLeader() Kind {
	return Kind{
		Name: "stall-leader", Summary: "keep back all bytes from and to the leader",
		needs: []need{needsPeerLinks, needsStatus},
		inject: func(ctx context.Context, w *World, _ *rand.Rand, _ string) (*effect, error) {
			leader, _ := leaderOf(w.Cluster)
			if leader == "" {
				return nil, errNobody
			}
			s := w.stall(leader)
			return s.injected(ctx, &effect{target: leader, prove: leaderMoved(w, leader, s.heldSeen)})
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

// injected adds to an effect how it is healed.
func (s *standing) injected(ctx context.Context, e *effect) (*effect, error) {
	e.heal = s.lift
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	return s.harm.injected(ctx, e)
}

func (s *standing) lift(ctx context.Context) error {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	delete(s.world.standing, s)
	return s.harm.lift(ctx)
}

func (s *standing) heldSeen(context.Context) (bool, string) {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	var peers, clients held
	for i, l := range s.harm.links {
		now := l.Stats()
		if isMember(s.world.Cluster, now.From) {
			peers.add(now, s.harm.before[i])
		} else {
			clients.add(now, s.harm.before[i])
		}
	}
	return peers.any() || clients.any(), fmt.Sprintf("%v of peers and %v of clients held back", peers, clients)
}

func isMember(c cluster.Cluster, name string) bool {
	for _, m := range c.Members() {
		if m == name {
			return true
		}
	}
	return false
}
