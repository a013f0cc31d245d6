// Package playground keeps clusters that outlive the command which started
// them, to play with: each is a process of its own in the background, which
// runs the members of package embedded.
//
// A cluster has a directory, its [Place]. In it lie
//
//	lock       held with flock by the process for as long as it lives
//	state.json what the process says of itself
//	control    the unix socket on which it takes orders
//	log        what the process printed; members/*.log are the members' own
//	data/      the members' data, unless they were given another place
//
// Whether a cluster is up is asked of the lock alone: the kernel drops it when
// its holder ends, however that ends. A state without a lock is that of a
// process that died, and a process that has since been given its id is no
// matter. The lock's file is never removed, so that all lock the same one.
package playground
