package embedded

import "github.com/etcd-holdfast/holdfast/cluster"

// Status returns what each member says of itself, in the order of Members. A
// member says that it leads until it has found out that it does not; its term
// is that of the last entry which it has applied.
func (c *Cluster) Status() []cluster.Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]cluster.Status, len(c.members))
	for i, m := range c.members {
		all[i] = c.statusOf(m)
	}
	return all
}

func (c *Cluster) statusOf(m *member) cluster.Status {
	s := cluster.Status{Member: m.name}
	if m.life == nil || m.life.ended() != nil {
		return s
	}
	server := m.life.etcd.Server
	leader := server.Leader() // asked once: Leads and Leader have to agree
	s.Running = true
	s.Leads = leader == server.MemberID()
	s.Leader = c.names[uint64(leader)]
	s.Term = server.Term()
	return s
}
