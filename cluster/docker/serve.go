package docker

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

// ServerRole is the role of offspring.Role in which this program is an etcd server,
// with etcd's own flags.
const ServerRole = "etcd"

// Serve is what a process in the role ServerRole does. It ends the process where etcd
// does.
func Serve() int {
	etcdmain.Main(os.Args)
	return 0
}
