// Package sim simulates a cluster in virtual time: etcd's own client code, and
// whatever lock is built on it, runs unchanged against a model of etcd's servers
// and of the network, in a bubble in which a lease of a minute takes
// microseconds, and in which one seed gives one history.
//
// # Usage
//
// Everything that touches the cluster is inside one [Bubble]:
//
//	err := sim.Bubble(func() {
//		c := sim.Start(sim.Config{Members: 3, Stream: stream})
//		defer c.Close()
//		c.Connect("c1")
//		client, err := c.Dial(ctx, "c1", time.Second)
//		...
//	})
//
// The client is a clientv3.Client whose lessor, watcher and KV are etcd's own;
// what they would send by gRPC goes to the model. Whoever uses it must close it,
// and let every goroutine end, before the bubble can.
//
// # What is simulated
//
//   - Servers: package model, held to the real one by differential tests. Members
//     share one log of changes; each has applied a part of it.
//   - Leaders: a leader that loses its majority is replaced after one to two
//     election timeouts, and the new one gives every lease its time again. Raft's
//     own messages are not simulated. A member that hears its leader follows it,
//     whether or not it is heard; what it is asked to change then, the leader hears
//     of when the stall is over, as it does of what was sent right before one.
//     Without a leader a member keeps what it is asked until there is one again, as
//     long as whoever asks is there.
//   - Connections: as gRPC keeps them, with its pauses between attempts; messages
//     have delays, and arrive in order on each connection.
//   - Retries: as clientv3's interceptor makes them.
//
// # What makes a run repeatable
//
// The scheduler lets one thing happen at a time, see scheduler.go. Two more things
// are needed of whoever runs clients: what a client does that others may see it
// does in a Turn of its own, and no two of its timers fire at one instant. The
// first is what workloads.Env.Turn is for; the second follows from delays that
// differ by nanoseconds.
//
// # Limits
//
// A member that is heard and does not hear (of a one-way cut, the other way round)
// passes nothing on, where raft does for an election timeout. A call that its client
// gave up is given up at the member at once, even where the news is held back.
//
// There is no auth, no TLS, no membership change, no Maintenance, and no service
// but KV, Lease and Watch: subjects that call others get an error that says so. A
// panic in a goroutine that a subject started ends the process, as it would
// anywhere.
package sim
