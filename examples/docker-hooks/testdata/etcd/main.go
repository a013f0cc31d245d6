// Command etcd is etcd's server, of the version that holdfast is built with: where no
// registry can be reached, an image is made of it.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
