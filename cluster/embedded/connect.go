package embedded

import (
	"errors"
	"fmt"

	"github.com/etcd-holdfast/holdfast/cluster"
)

// Connect gives party a link of its own to every member, and returns the URLs
// to dial, in the order of Members. A party may have any name but a member's.
func (c *Cluster) Connect(party string) ([]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	addresses, err := c.connect(party)
	if err != nil {
		return nil, fmt.Errorf("connect %q: %w", party, err)
	}
	urls := make([]string, len(addresses))
	for i, a := range addresses {
		urls[i] = "http://" + a
	}
	return urls, nil
}

func (c *Cluster) connect(party string) ([]address, error) {
	if c.closed {
		return nil, errClosed
	}
	if party == "" {
		return nil, errors.New("a party needs a name")
	}
	if _, err := c.member(party); err == nil {
		return nil, errors.New("a member has this name")
	}
	if addresses, ok := c.parties[party]; ok {
		return addresses, nil
	}
	addresses := make([]address, len(c.members))
	for i, m := range c.members {
		a, err := c.network.Listen(party, m.name, m.clientBackend)
		if err != nil {
			c.network.Remove(party)
			return nil, err
		}
		addresses[i] = a
	}
	c.parties[party] = addresses
	return addresses, nil
}

// Disconnect closes party's connections and removes its links.
func (c *Cluster) Disconnect(party string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.parties[party]; ok {
		delete(c.parties, party)
		c.network.Remove(party)
	}
}

// Link returns the link over which from dials to, or nil if there is none.
// Those between members exist from the start; those of a party from its
// Connect to its Disconnect. What members tell each other passes on the links
// of both directions, see package link.
func (c *Cluster) Link(from, to string) cluster.Link {
	if l := c.network.Link(from, to); l != nil {
		return l
	}
	return nil
}
