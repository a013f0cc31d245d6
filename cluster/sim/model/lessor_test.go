package model

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	lessor "go.etcd.io/etcd/server/v3/lease"
	"go.etcd.io/etcd/server/v3/storage/backend"
	"go.uber.org/zap"
)

// TestPromoteAsLessor promotes etcd's own lessor beside the model, with so few
// leases that nothing is spread, and with so many that it is. Leases that
// would expire at the same time are spread in no order, so for each TTL the
// times are compared, and not whose they are.
func TestPromoteAsLessor(t *testing.T) {
	seed := seedOf(t)
	for _, count := range []int{1, 10, 999, 1000, 1001, 3000} {
		for _, ttls := range []int64{1, 3, 40} {
			t.Run(fmt.Sprintf("%d leases of %d lifetimes", count, ttls), func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "db")
				synctest.Test(t, func(t *testing.T) {
					compareLessor(t, rand.New(rand.NewPCG(seed, 0)), path, count, ttls)
				})
			})
		}
	}
}

func compareLessor(t *testing.T, random *rand.Rand, path string, count int, ttls int64) {
	const minTTL, election = 2, time.Second
	store := backend.NewDefaultBackend(zap.NewNop(), path)
	defer store.Close()
	real := lessor.NewLessor(zap.NewNop(), store, nil, lessor.LessorConfig{MinLeaseTTL: minTTL})
	defer real.Stop()
	real.Promote(election)
	model := New(Config{Election: election})
	epoch := time.Now()

	for id := range count {
		ttl := random.Int64N(ttls) + minTTL - 1
		if _, err := real.Grant(lessor.LeaseID(id+1), ttl); err != nil {
			t.Fatal(err)
		}
		if _, err := model.Grant(time.Since(epoch), &pb.LeaseGrantRequest{ID: int64(id + 1), TTL: ttl}); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		time.Sleep(time.Duration(random.Int64N(int64(2 * time.Second))))
		real.Promote(election)
		model.Promote(time.Since(epoch))

		want, got := map[int64][]time.Duration{}, map[int64][]time.Duration{}
		now := time.Since(epoch)
		for _, l := range model.leases {
			r := real.Lookup(lessor.LeaseID(l.id))
			want[r.TTL()] = append(want[r.TTL()], r.Remaining())
			got[l.ttl] = append(got[l.ttl], l.expiry-now)
		}
		for _, times := range []map[int64][]time.Duration{want, got} {
			for _, remaining := range times {
				slices.Sort(remaining)
			}
		}
		if !reflect.DeepEqual(want, got) {
			t.Fatalf("remaining by TTL:\nlessor: %v\nmodel:  %v", want, got)
		}
	}
}

// TestLeasesInOrder compares the order of a list in which no two leases expire
// at the same time, which the random sequences do not look at.
func TestLeasesInOrder(t *testing.T) {
	inBubble(t, func(d *duel) {
		for id, ttl := range []int64{50, 10, 40, 20, 30} {
			if err := d.ask(&pb.LeaseGrantRequest{ID: int64(id + 1), TTL: ttl}); err != nil {
				t.Fatal(err)
			}
		}
		real, err := d.server.lease.LeaseLeases(d.server.ctx, &pb.LeaseLeasesRequest{})
		if err != nil {
			t.Fatal(err)
		}
		model, _ := d.store.Leases(&pb.LeaseLeasesRequest{})
		if text(real) != text(model) {
			t.Fatalf("server: %s\nmodel:  %s", text(real), text(model))
		}
	})
}
