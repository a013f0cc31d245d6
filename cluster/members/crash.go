package members

import (
	"context"
	"fmt"

	"github.com/etcd-holdfast/holdfast/cluster/link"
)

// Crash ends the member at once: from when it is called nothing that the
// member does reaches anybody. It returns when the server has ended. A member
// that is down stays so.
func (g *Group[L]) Crash(ctx context.Context, name string) error {
	if err := g.EndBy(ctx, name, L.End); err != nil {
		return fmt.Errorf("crash member %s: %w", name, err)
	}
	return nil
}

// EndBy ends a member's server in another way than Crash does. New connections
// find nobody from when end is called. A member that is down stays so.
func (g *Group[L]) EndBy(ctx context.Context, name string, end func(L) error) error {
	s, err := g.seat(name)
	if err != nil {
		return err
	}
	return g.end(ctx, s, end)
}

func (g *Group[L]) end(ctx context.Context, s *seat[L], end func(L) error) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	ended := make(chan error, 1)
	life, taken, reconnect := g.vacate(s)
	go func() { // so that ctx bounds the wait; whoever locks the member next joins it
		var err error
		defer func() { ended <- err }()
		defer s.unlock()
		defer reconnect()
		if taken {
			err = end(life)
		}
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return fmt.Errorf("it is still stopping: %w", context.Cause(ctx))
	}
}

// vacate takes the server from a seat. Nobody finds it any more, and one that
// lingers is cut off from everybody, in both directions: the connections to it
// are severed, and those that it dialled are cut until reconnect is called.
func (g *Group[L]) vacate(s *seat[L]) (ended L, taken bool, reconnect func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	ended, taken = s.life, s.taken
	var none L
	s.life, s.taken = none, false
	g.setBackends(s, "", "")

	var lifts []func()
	if g.backend.Lingers {
		for _, other := range g.places {
			if l := g.network.Link(s.place.Name, other.Name); l != nil {
				lifts = append(lifts, l.Impose(link.Condition{Cut: true}))
			}
		}
		g.network.Sever(s.place.Name)
	}
	return ended, taken, func() {
		for _, lift := range lifts {
			lift()
		}
	}
}

// Restart starts the member on the data that it left, and returns when it
// serves. It serves only once there is a quorum, so members of which more than
// a minority is down have to be restarted at the same time; if ctx ends before
// there is one, the server stays, and serves when it can. Restarting a member
// that is up just waits for it; one that etcd has given up has to be crashed
// first.
func (g *Group[L]) Restart(ctx context.Context, name string) error {
	s, err := g.seat(name)
	if err == nil {
		err = g.restart(ctx, s)
	}
	if err != nil {
		return fmt.Errorf("start member %s: %w", name, err)
	}
	return nil
}

func (g *Group[L]) restart(ctx context.Context, s *seat[L]) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	life, err := g.ensureLife(ctx, s)
	s.unlock()
	if err != nil {
		return err
	}
	return life.Ready(ctx)
}

// ensureLife starts a server for a member that has none.
func (g *Group[L]) ensureLife(ctx context.Context, s *seat[L]) (L, error) {
	g.mu.Lock()
	closed, current, taken := g.closed, s.life, s.taken
	g.mu.Unlock()
	if closed {
		return current, ErrClosed
	}
	if taken {
		return current, nil
	}
	started, err := g.backend.Begin(ctx, s.place)
	if err != nil {
		return started, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	s.life, s.taken = started, true
	peers, clients := started.Addresses()
	g.setBackends(s, peers, clients)
	return started, nil
}
