package holdfast

import (
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster/link"
	"github.com/etcd-holdfast/holdfast/history"
)

// A renewal counts from when it was asked for, and never from later.
func TestRenewalsCountFromTheQuestion(t *testing.T) {
	memory, err := history.NewMemory(history.Header{Prefix: "p/"}, history.NewClock())
	if err != nil {
		t.Fatal(err)
	}
	r := newRenewals(memory.Recorder(), "c1")
	ask := func(lease int64) {
		r.see(link.Message{Content: link.KeepAlive, Direction: link.ToTarget, Lease: lease})
	}
	answer := func(lease, ttl int64) {
		r.see(link.Message{Content: link.KeepAlive, Direction: link.ToDialler, Lease: lease, TTL: ttl})
	}
	answer(7, 5) // nobody asked
	ask(7)       // its answer is lost
	ask(7)       //
	answer(7, 5) // counts from the first question
	answer(7, 0) // it is over: what was asked before is forgotten
	answer(7, 5) //
	ask(8)       //
	answer(8, 3) //
	r.see(link.Message{Content: link.WatchCreate})
	var leases []int64
	for _, e := range memory.History().Events {
		if e.Kind != history.Renewed || e.Client != "c1" {
			t.Errorf("%+v", e)
		}
		whole := map[int64]time.Duration{7: 5 * time.Second, 8: 3 * time.Second}[e.Lease]
		if e.TTL <= 0 || e.TTL > whole {
			t.Errorf("lease %d has to live %v more, of %v", e.Lease, e.TTL, whole)
		}
		leases = append(leases, e.Lease)
	}
	if len(leases) != 2 || leases[0] != 7 || leases[1] != 8 {
		t.Errorf("renewed: %v", leases)
	}
}
