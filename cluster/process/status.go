package process

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

// newLife makes a life of a member's process, whose id it remembers. If that
// fails the process is killed.
func (c *Cluster) newLife(member string, process *offspring.Process, gate *gate, peers, clients string, why func() string) (*life, error) {
	l, err := newLife(process, gate, peers, clients, why, func(answer *etcdserverpb.StatusResponse) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.names[answer.Header.MemberId] = member
		c.versions[member] = answer.Version
	})
	if err != nil {
		err = errors.Join(err, process.Kill(), gate.close())
	}
	return l, err
}

// Status returns what each member says of itself, in the order of Members. It is
// at most a moment old, unless the member does not answer: then it is what it said
// last. One that has not yet answered since it was started knows no leader.
func (c *Cluster) Status() []cluster.Status {
	lives, running := c.Lives()
	all := make([]cluster.Status, len(lives))
	for i, name := range c.Members() {
		all[i] = cluster.Status{Member: name}
		if running[i] && lives[i].runs() {
			c.describe(lives[i].answer(), &all[i])
		}
	}
	return all
}

func (c *Cluster) describe(answer *etcdserverpb.StatusResponse, s *cluster.Status) {
	s.Running = true
	if answer == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Leads = answer.Leader != 0 && answer.Leader == answer.Header.MemberId
	s.Leader = c.names[answer.Leader]
	s.Term = answer.RaftTerm
}

// Version returns the version of etcd that the members run, by their own account;
// of a mixed cluster each with who runs it, for example "3.5.12 (m2), 3.7.3 (m1, m3)".
func (c *Cluster) Version() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	who := make(map[string][]string)
	for _, member := range c.Members() {
		who[c.versions[member]] = append(who[c.versions[member]], member)
	}
	versions := slices.Sorted(maps.Keys(who))
	if len(versions) == 1 {
		return versions[0]
	}
	for i, v := range versions {
		versions[i] = v + " (" + strings.Join(who[v], ", ") + ")"
	}
	return strings.Join(versions, ", ")
}
