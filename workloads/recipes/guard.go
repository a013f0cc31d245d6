package recipes

import (
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/workloads"
)

// never compares false: no key has a negative create revision. It names a key
// because etcd refuses a comparison without one.
var never = clientv3.Compare(clientv3.CreateRevision("\x00"), "=", -1)

// owns compares true only while the key of grant is the one that was granted.
func owns(grant workloads.Grant) clientv3.Cmp {
	if grant.Key == "" {
		return never
	}
	return clientv3.Compare(clientv3.CreateRevision(grant.Key), "=", grant.Token)
}
