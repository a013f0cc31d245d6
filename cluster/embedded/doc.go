// Package embedded runs a whole etcd cluster inside this process: one, three
// or five real etcd servers, which serve within about a second.
//
// # Usage
//
//	c, err := embedded.Start(ctx, embedded.Config{})
//	if err != nil { … }
//	defer c.Close()
//	urls, err := c.Connect("c1") // dial these with clientv3
//
// A [Cluster] implements cluster.Cluster, cluster.StatusReader, cluster.Linked
// and cluster.Crasher.
//
// # What is real and what is not
//
// The members are unmodified etcd servers. They keep a log and a database on
// disk, and speak to each other, and to clients, over TCP and nothing else;
// every such connection passes through package link. A crash is as abrupt for
// everybody else as that of a process: nothing leaves the member once Crash
// has begun, and it comes back on what it had written. Three things differ
// from a member in a process of its own:
//
//   - Members share this process's scheduler, heap and clock. They cannot be
//     paused or given a clock of their own, and a busy harness slows them all.
//   - A crash ends the server's goroutines, and does not lose what it had
//     handed to the operating system (see [Config.Fsync]).
//   - If etcd panics, which it does when it finds its own invariants broken,
//     the whole process dies of it. Where it would log and exit, only the
//     member ends: Status says that it does not run, and its log says why.
//
// # Obligations of the caller
//
//   - Dial the URLs that Connect returned, and no others. The client URLs
//     that members advertise lead nowhere, so that a client which asks for
//     them (clientv3's Sync and AutoSyncInterval) cannot go around its links:
//     it loses all its endpoints instead.
//   - Close the cluster. It is safe to do so with clients still connected.
//   - Have 128 MiB of disk for each member: etcd preallocates its log.
package embedded
