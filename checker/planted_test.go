package checker

import (
	"testing"

	"github.com/etcd-holdfast/holdfast/history"
)

// TestPlantedBugsAreFound runs the simulated service with one thing wrong at a
// time. In some of the runs the property that is meant to find it must, with
// the right blame.
func TestPlantedBugsAreFound(t *testing.T) {
	for _, c := range []struct {
		bug       string
		primitive history.Primitive
		property  string
		blame     Blame
		known     string
	}{
		{winsWithoutKey, history.Election, Ownership, BlameLibrary, "etcd#19597"},
		{winsWithoutKey, history.RWMutex, Ownership, BlameLibrary, "etcd#16221"},
		{winsWithoutKey, history.Mutex, Ownership, BlameLibrary, ""},
		{twoOwners, history.Mutex, Ownership, BlameLibrary, ""},
		{twoOwners, history.Mutex, Exclusion, BlameLibrary, ""},
		{twoOwners, history.Mutex, Order, BlameLibrary, ""},
		{twoOwners, history.RWMutex, Exclusion, BlameLibrary, ""},
		{twoOwners, history.Election, Exclusion, BlameLibrary, ""},
		{readersIgnoreWriters, history.RWMutex, Exclusion, BlameLibrary, ""},
		{lazyRelease, history.Mutex, Leftovers, BlameLibrary, ""},
		{lazyClose, history.Mutex, Leftovers, BlameLibrary, ""},
		{believesStaleTokens, history.Mutex, Fencing, BlameLibrary, ""},
		{staleReads, history.Election, Linearizable, BlameServer, ""},
		{observesHalf, history.Election, Observe, BlameLibrary, ""},
		{forgetsLostKeys, history.Mutex, Leftovers, BlameLibrary, ""},
		{forgetsLostKeys, history.Election, Leftovers, BlameLibrary, "lost-campaign-keeps-key"},
		{forgetsLostKeys, history.Election, Leftovers, BlameLibrary, "proclaim-after-lost-answer"},
		{forgetsLostKeys, history.RWMutex, Leftovers, BlameLibrary, ""},
		{forgetsReleases, history.Election, Leftovers, BlameLibrary, "etcd#22123"},
		{forgetsReleases, history.RWMutex, Leftovers, BlameLibrary, "rwmutex-unlock-twice"},
		{waitsForNeighbours, history.Mutex, Progress, BlameLibrary, "mutex-waits-for-neighbours"},
		{endsSilently, history.Election, Observe, BlameLibrary, "etcd#18163"},
		{immortalLeases, history.Mutex, Progress, BlameLibrary, ""},
	} {
		t.Run(c.bug+"/"+string(c.primitive)+"/"+c.property, func(t *testing.T) {
			// Some need what seldom comes together: these have more runs.
			found, runs := 0, 0
			for seed := uint64(0); seed < 150 || found == 0 && seed < 4000; seed++ {
				runs++
				s := simulateBug(seed, c.primitive, c.bug)
				n := len(s.records)
				for _, p := range Check(s.cut(n, n, s.layout()), Options{}).Properties {
					if p.Property != c.property {
						continue
					}
					for _, v := range p.Violations {
						if v.Blame == c.blame && v.Known == c.known {
							found++
							break
						}
					}
				}
			}
			if found == 0 {
				t.Errorf("found in none of %d runs", runs)
			}
			t.Logf("found in %d of %d runs", found, runs)
		})
	}
}
