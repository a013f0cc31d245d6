package embedded

import (
	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/cluster/server"
)

// Status returns what each member says of itself, in the order of Members. A
// member says that it leads until it has found out that it does not; its term
// is that of the last entry which it has applied.
func (c *Cluster) Status() []cluster.Status {
	lives, running := c.Lives()
	all := make([]cluster.Status, len(lives))
	for i, name := range c.Members() {
		all[i] = cluster.Status{Member: name}
		if running[i] && lives[i].Ended() == nil {
			c.ask(lives[i], &all[i])
		}
	}
	return all
}

func (c *Cluster) ask(life *server.Server, s *cluster.Status) {
	etcd := life.Etcd.Server
	leader := etcd.Leader() // asked once: Leads and Leader have to agree
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Running = true
	s.Leads = leader == etcd.MemberID()
	s.Leader = c.names[uint64(leader)]
	s.Term = etcd.Term()
}
