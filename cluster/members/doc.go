// Package members is what clusters of real etcd servers have in common, wherever
// the servers run: places with data, logs and addresses of their own, links between
// all of them and to every client, and how servers start, crash and come back.
//
// A backend says how one server is begun, and gets the rest from a [Group]. What
// the servers are, this package does not know.
package members
