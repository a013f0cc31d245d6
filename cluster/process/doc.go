// Package process runs an etcd cluster of which each member is a process of its
// own: one that can be killed without a goodbye, frozen in the middle of a write,
// and that may be any etcd binary.
//
// # Usage
//
//	c, err := process.Start(ctx, process.Config{})
//	if err != nil { … }
//	defer c.Close()
//	urls, err := c.Connect("c1") // dial these with clientv3
//
// The links stay in the process that called Start; every connection between
// members, and from clients, passes through them, as in package embedded.
//
// # Obligations of the caller
//
//   - Without a binary the members are processes of this same program, started in
//     the role [Role]: the program has to look at offspring.Role before all else,
//     and to do then what [Serve] does.
//   - Dial the URLs that Connect returned, and no others.
//   - Close the cluster. If the program dies before, by whatever, so do the members.
package process
