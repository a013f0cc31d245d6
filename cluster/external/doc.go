// Package external is an etcd cluster that somebody else runs.
//
// # Usage
//
//	c, err := external.Start(ctx, external.Config{Endpoints: []string{"https://10.0.0.1:2379", …}, TLS: …})
//	if err != nil { … }
//	defer c.Close()
//	urls, err := c.Connect("c1") // dial these with clientv3
//
// A [Cluster] implements cluster.Cluster, cluster.StatusReader and cluster.Linked;
// it starts nothing and ends nothing.
//
// # What it does to the cluster
//
// Nothing: it asks who is there and who leads, and passes on what clients say.
// [Cluster.MoveLeader] is there for those who may.
//
// # The way to the members
//
// Every client has a link of its own to each member, which accepts cleartext on the
// loopback address and speaks TLS to the member, if the cluster wants that. So
// whoever can run programs on this machine can use the certificate of the run, as
// long as it lasts; where the cluster asks for a user and a password that is not
// enough to get anywhere. There are no links between members.
//
// etcd can also take the name in a client's certificate for a user's. Through a link
// it does not: give a user and a password.
package external
