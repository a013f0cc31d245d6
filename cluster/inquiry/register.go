package inquiry

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/etcd-holdfast/holdfast/cluster"
)

// Register is what the members of a cluster have told of themselves. Its zero value
// is empty. All methods are safe for concurrent use.
type Register struct {
	mu       sync.Mutex
	names    map[uint64]string // of members, by raft id
	versions map[string]string // of etcd, by member
}

// Learn takes in an answer of a member.
func (r *Register) Learn(member string, answer *etcdserverpb.StatusResponse) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.names == nil {
		r.names, r.versions = make(map[uint64]string), make(map[string]string)
	}
	r.names[answer.Header.MemberId] = member
	r.versions[member] = answer.Version
}

// Describe is how a member stands that runs and gave that answer last; nil is none
// since it was started.
func (r *Register) Describe(member string, answer *etcdserverpb.StatusResponse) cluster.Status {
	s := cluster.Status{Member: member, Running: true}
	if answer == nil {
		return s
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s.Leads = answer.Leader != 0 && answer.Leader == answer.Header.MemberId
	s.Leader = r.names[answer.Leader]
	s.Term = answer.RaftTerm
	return s
}

// Version is the version of etcd that the members run, by their own account; of a
// mixed cluster each with who runs it, for example "3.5.12 (m2), 3.7.3 (m1, m3)".
func (r *Register) Version(members []string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	who := make(map[string][]string)
	for _, member := range members {
		who[r.versions[member]] = append(who[r.versions[member]], member)
	}
	versions := slices.Sorted(maps.Keys(who))
	if len(versions) == 1 {
		return versions[0]
	}
	for i, v := range versions {
		versions[i] = v + " (" + strings.Join(who[v], ", ") + ")"
	}
	return strings.Join(versions, ", ")
}
