// Package leaks lists the goroutines that etcd itself leaves behind in a process
// that has run its members, for tests that look for those of holdfast.
package leaks

import "go.uber.org/goleak"

// OfMembers are what is left of a member that served etcd's lock or election
// service. Such a member has a client of its own (server/v3/embed, v3client),
// which nobody closes when it stops: what keeps that client's leases alive
// stays. A client of holdfast's that leaks would leave more than that.
func OfMembers() []goleak.Option {
	var options []goleak.Option
	for _, function := range []string{
		"go.etcd.io/etcd/client/v3.(*lessor).sendKeepAliveLoop",
		"go.etcd.io/etcd/client/v3.(*lessor).recvKeepAliveLoop",
		"go.etcd.io/etcd/client/v3.(*lessor).deadlineLoop",
		"go.etcd.io/etcd/server/v3/etcdserver/api/v3rpc.(*LeaseServer).LeaseKeepAlive",
		"go.etcd.io/etcd/server/v3/etcdserver/api/v3rpc.(*LeaseServer).leaseKeepAlive",
	} {
		options = append(options, goleak.IgnoreAnyFunction(function))
	}
	return options
}
