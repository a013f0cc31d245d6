// Package workloads is the traffic that clients send to a subject, and says
// what a subject is.
//
// To put a lock of your own to the test, write a [Subject]: a name and a
// constructor of a [Lock], [RWLock], [Election], [Semaphore], [Service], [Queue],
// [Barrier], [DoubleBarrier], [Bank] or [Register]. The constructor is given a
// [Session], with the client's own connection and a session that the client
// keeps alive, and a key prefix. Mark errors after which the call certainly had
// no effect with [WithoutEffect]; every other error is taken as "nobody knows".
// Say with [Subject].Layout how ownership shows in the store, if it is by the
// oldest key or by read and write keys as in etcd's recipes: then success that
// was never true is found even where no second holder came in between.
//
// Each hold that excludes others works on a protected [Resource], once without and once with the
// fencing token of its [Grant].
package workloads
