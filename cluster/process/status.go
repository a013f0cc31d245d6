package process

import "github.com/etcd-holdfast/holdfast/cluster"

// Status returns what each member says of itself, in the order of Members. It is
// at most a moment old, unless the member does not answer: then it is what it said
// last. One that has not yet answered since it was started knows no leader.
func (c *Cluster) Status() []cluster.Status {
	lives, running := c.Lives()
	all := make([]cluster.Status, len(lives))
	for i, name := range c.Members() {
		all[i] = cluster.Status{Member: name}
		if running[i] && lives[i].runs() {
			all[i] = c.register.Describe(name, lives[i].inquiry.Answer())
		}
	}
	return all
}

// Version returns the version of etcd that the members run, by their own account;
// of a mixed cluster each with who runs it, for example "3.5.12 (m2), 3.7.3 (m1, m3)".
func (c *Cluster) Version() string { return c.register.Version(c.Members()) }
