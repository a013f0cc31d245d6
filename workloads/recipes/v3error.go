package recipes

import (
	"google.golang.org/grpc/status"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"go.etcd.io/etcd/client/v3/concurrency"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// fromService translates an error of etcd's lock or election service. The
// services run etcd's concurrency package inside the server, and of its errors
// only the text comes over the wire.
func fromService(err error) error {
	if err == nil {
		return nil
	}
	for _, known := range []error{concurrency.ErrSessionExpired, concurrency.ErrElectionNotLeader} {
		if status.Convert(err).Message() == known.Error() {
			return known
		}
	}
	if status.Convert(err).Message() == concurrency.ErrElectionNoLeader.Error() {
		return workloads.ErrNoLeader
	}
	return rpctypes.Error(err)
}
