// Package docker runs an etcd cluster of which each member is a container of its own,
// on a Docker engine, here or on another machine, with or without a registry.
//
// # Usage
//
//	c, err := docker.Start(ctx, docker.Config{})
//	if err != nil { … }
//	defer c.Close()
//	urls, err := c.Connect("c1") // dial these with clientv3
//
// Each member has two containers. The pod, a program that does nothing, owns the
// network namespace: the address among the members, and the port that is published
// for clients. It lives as long as the cluster. The etcd server joins it, so that a
// member that was killed comes back where it was. Members dial each other directly;
// the links to clients are in the process that called Start.
//
// # Obligations of the caller
//
//   - The image is made of this same program, which is started in the roles PodRole,
//     ServerRole and netguard.Role: it has to look at offspring.Role before all else,
//     and to do then what [BePod], [Serve] and netguard.Guard do.
//   - Dial the URLs that Connect returned, and no others.
//   - Close the cluster. What is left behind if the program dies before, [Leftovers]
//     finds by its labels.
package docker
