package members

import (
	"errors"
	"fmt"

	"github.com/etcd-holdfast/holdfast/cluster"
)

// Connect gives party a link of its own to every member, and returns the URLs
// to dial, in the order of Members. A party may have any name but a member's.
func (g *Group[L]) Connect(party string) ([]string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	addresses, err := g.connect(party)
	if err != nil {
		return nil, fmt.Errorf("connect %q: %w", party, err)
	}
	scheme := "http://"
	if g.config.ClientTLS != nil {
		scheme = "https://"
	}
	urls := make([]string, len(addresses))
	for i, a := range addresses {
		urls[i] = scheme + a
	}
	return urls, nil
}

func (g *Group[L]) connect(party string) ([]address, error) {
	if g.closed {
		return nil, ErrClosed
	}
	if party == "" {
		return nil, errors.New("a party needs a name")
	}
	if _, err := g.seat(party); err == nil {
		return nil, errors.New("a member has this name")
	}
	if addresses, ok := g.parties[party]; ok {
		return addresses, nil
	}
	addresses := make([]address, len(g.seats))
	for i, s := range g.seats {
		a, err := g.network.Listen(party, s.place.Name, s.clientBackend)
		if err != nil {
			g.network.Remove(party)
			return nil, err
		}
		addresses[i] = a
	}
	g.parties[party] = addresses
	return addresses, nil
}

// Disconnect closes party's connections and removes its links.
func (g *Group[L]) Disconnect(party string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, ok := g.parties[party]; ok {
		delete(g.parties, party)
		g.network.Remove(party)
	}
}

// Link returns the link over which from dials to, or nil if there is none.
// Those between members exist from the start; those of a party from its
// Connect to its Disconnect. What members tell each other passes on the links
// of both directions, see package link.
func (g *Group[L]) Link(from, to string) cluster.Link {
	if l := g.network.Link(from, to); l != nil {
		return l
	}
	return nil
}

// setBackends tells the links where a member accepts its peers and clients
// from now on, "" if nowhere. It is called with mu held.
func (g *Group[L]) setBackends(s *seat[L], peers, clients string) {
	g.network.SetBackend(s.place.PeerAddress, peers)
	s.clientBackend = clients
	for i, other := range g.seats {
		if other != s {
			continue
		}
		for _, addresses := range g.parties {
			g.network.SetBackend(addresses[i], clients)
		}
	}
}
