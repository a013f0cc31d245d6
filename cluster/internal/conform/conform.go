// Package conform holds what every backend with real etcd servers has to do, as
// tests that a backend's own tests run.
package conform

import (
	"context"
	"slices"
	"testing"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/cluster/members"
)

// Backend is the backend under test.
type Backend struct {
	Kind string
	// Version is that of etcd.
	Version string
	Start   func(context.Context, members.Config) (Cluster, error)
	// Remote is true if members have neither files nor ports of this machine's, and
	// dial each other past the links of this process: see members.Backend.
	Remote bool
	// Brief leaves out all but what starts, crashes and closes clusters while they are
	// used: what goes on beside something else in this process.
	Brief bool
}

// Cluster is what all such backends give.
type Cluster interface {
	cluster.Cluster
	cluster.StatusReader
	cluster.Linked
	cluster.Crasher
	cluster.LeaderMover
	Directory() string
	Places() []*members.Place
	// AddressesOf are where a member that runs really listens.
	AddressesOf(member string) (peers, clients string, err error)
}

// Run runs all tests.
func Run(t *testing.T, b Backend) {
	if !b.Remote {
		runAll(t, b, []test{
			{"PeerTrafficPassesThroughLinks", testPeerTrafficPassesThroughLinks},
			{"StartRefusesUsedDirectories", testStartRefusesUsedDirectories},
			{"AMemberThatGivesUpDoesNotTakeTheProcessAlong", testAMemberThatGivesUpDoesNotTakeTheProcessAlong},
			{"CloseEmptiesAGivenDirectory", testCloseEmptiesAGivenDirectory},
		})
	}
	runAll(t, b, []test{
		{"ClustersOfEverySizeServe", testClustersOfEverySizeServe},
		{"Connect", testConnect},
		{"AdvertisedClientURLsLeadNowhere", testAdvertisedClientURLsLeadNowhere},
		{"StartCleansUpWhenItsContextEnds", testStartCleansUpWhenItsContextEnds},
		{"ClustersSideBySideAndInSequence", testClustersSideBySideAndInSequence},
		{"Logs", testLogs},
		{"EveryFaultOfAConfigIsReported", testEveryFaultOfAConfigIsReported},
		{"SmallestTTL", testSmallestTTL},
		{"MembersGrantTheSmallestTTL", testMembersGrantTheSmallestTTL},
		{"IsolatingTheLeaderMovesLeadership", testIsolatingTheLeaderMovesLeadership},
		{"OneWayStallSilencesTheLeader", testOneWayStallSilencesTheLeader},
		{"CuttingAClient", testCuttingAClient},
		{"CrashOfTheLeader", testCrashOfTheLeader},
		{"ClientsFindARestartedMember", testClientsFindARestartedMember},
		{"AllMembersCrashAndReturn", testAllMembersCrashAndReturn},
		{"RestartWithoutAQuorum", testRestartWithoutAQuorum},
		{"UnknownMembers", testUnknownMembers},
		{"TheLeadershipMoves", testTheLeadershipMoves},
		{"CloseLeavesNothing", testCloseLeavesNothing},
		{"NothingWorksOnAClosedCluster", testNothingWorksOnAClosedCluster},
		{"CloseWhileOthersStillUseTheCluster", testCloseWhileOthersStillUseTheCluster},
	})
}

// alone are the tests beside which nothing may go on: they look at all goroutines of
// this process, and end a start at different moments of it.
var alone = []string{"CloseLeavesNothing", "StartCleansUpWhenItsContextEnds"}

var brief = []string{"CrashOfTheLeader", "AllMembersCrashAndReturn", "CloseLeavesNothing", "CloseWhileOthersStillUseTheCluster"}

type test struct {
	name string
	run  func(*testing.T, Backend)
}

func runAll(t *testing.T, b Backend, tests []test) {
	for _, test := range tests {
		if b.Brief && !slices.Contains(brief, test.name) {
			continue
		}
		t.Run(test.name, func(t *testing.T) {
			if !slices.Contains(alone, test.name) {
				t.Parallel() // each has a cluster of its own, for which it waits
			}
			test.run(t, b)
		})
	}
}
