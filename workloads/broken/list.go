package broken

import "github.com/etcd-holdfast/holdfast/workloads"

// Subjects returns every subject with a planted bug.
func Subjects() []workloads.Subject {
	return []workloads.Subject{
		noLeaseCheck(),
		unlockByAnyone(),
		twoWriters(),
		readerBesideWriter(),
		splitBrainElection(),
		staleToken(),
		noLease(),
		shortTTL(),
	}
}
