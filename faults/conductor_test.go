package faults

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/cluster/embedded"
	"github.com/etcd-holdfast/holdfast/history"
)

// busy is one client that keeps a lease and reads all the time.
type busy struct {
	client  *clientv3.Client
	lease   atomic.Int64
	crashed atomic.Bool
	cancel  context.CancelFunc
	group   sync.WaitGroup
}

func newBusy(t *testing.T, c cluster.Cluster) *busy {
	t.Helper()
	b := &busy{client: dial(t, c, "c1")}
	ctx, cancel := context.WithCancel(context.Background())
	b.cancel = cancel
	b.group.Go(func() {
		for ctx.Err() == nil {
			if b.lease.Load() == 0 {
				if reply, err := b.client.Grant(ctx, 60); err == nil {
					b.lease.Store(int64(reply.ID))
				}
			}
			within, done := context.WithTimeout(ctx, 200*time.Millisecond)
			if _, err := b.client.Put(within, "key", "value"); err != nil {
				<-within.Done()
			}
			done()
		}
	})
	return b
}

func (b *busy) close() {
	b.cancel()
	_ = b.client.Close()
	b.group.Wait()
}

func (b *busy) Slots(string) []string          { return []string{"c1"} }
func (b *busy) Current(string) (string, int64) { return "c1", b.lease.Load() }
func (b *busy) Crash(string) bool              { b.cancel(); return !b.crashed.Swap(true) }

func dial(t *testing.T, c cluster.Cluster, party string) *clientv3.Client {
	t.Helper()
	urls, err := c.Connect(party)
	if err != nil {
		t.Fatal(err)
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: urls, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// proveAll injects, proves and heals each fault that a cluster can have.
func proveAll(t *testing.T, ctx context.Context, c cluster.Cluster, can Capabilities) {
	admin := dial(t, c, "admin")
	defer admin.Close()
	for _, kind := range Kinds() {
		t.Run(kind.Name, func(t *testing.T) {
			if err := kind.Unsupported(can); err != nil {
				t.Skip(err)
			}
			b := newBusy(t, c)
			defer c.Disconnect("c1")
			defer b.close()
			waitFor(t, ctx, func() bool { return b.lease.Load() != 0 })
			waitFor(t, ctx, func() bool { leader, _ := leaderOf(c); return leader != "" })
			clock := history.NewClock()
			var file bytes.Buffer
			conductor := &Conductor{
				World:   &World{Cluster: c, Clients: b, Admin: admin},
				Lookout: NewLookout(clock, ""), Journal: history.NewFaultJournal(&file), Clock: clock,
			}
			plan := []Planned{{ID: 1, Kind: kind.Name, For: 1500 * time.Millisecond, Choice: 3}}
			if err := conductor.Run(ctx, plan); err != nil {
				t.Fatal(err)
			}
			records, err := history.ReadFaults(&file)
			if err != nil {
				t.Fatal(err)
			}
			f := records[0]
			t.Log(f.Target + ": " + f.Evidence)
			if !f.Verified || f.Evidence == "" || f.Target == "" || f.To <= f.From || f.Error != "" {
				t.Errorf("%+v", f)
			}
			waitFor(t, ctx, func() bool {
				within, done := context.WithTimeout(ctx, time.Second)
				defer done()
				_, err := admin.Put(within, "after", kind.Name)
				return err == nil
			})
		})
	}
}

// A fault that is kept lasts until it is released, which proves and heals it; one
// that could not be injected beside it has a record that says so.
func TestKeptFaultsLastUntilTheyAreReleased(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := embedded.Start(ctx, embedded.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	clock := history.NewClock()
	var file bytes.Buffer
	conductor := &Conductor{World: &World{Cluster: c}, Lookout: NewLookout(clock, ""), Journal: history.NewFaultJournal(&file), Clock: clock}
	release, err := conductor.Keep(ctx, []Planned{{ID: 1, Kind: "crash-member", Choice: 1}, {ID: 2, Kind: "crash-member", Choice: 2}})
	if err != nil {
		t.Fatal(err)
	}
	down := func() (n int) {
		for _, s := range c.Status() {
			if !s.Running {
				n++
			}
		}
		return n
	}
	if n := down(); n != 1 {
		t.Errorf("%d members are down while the fault is kept", n)
	}
	released := clock.Now()
	if err := release(ctx); err != nil {
		t.Fatal(err)
	}
	if n := down(); n != 0 {
		t.Errorf("%d members are down after the release", n)
	}
	records, err := history.ReadFaults(&file)
	if err != nil {
		t.Fatal(err)
	}
	if f := records[0]; !f.Verified || f.To < released || f.From >= released || f.Error != "" {
		t.Errorf("the kept fault: %+v", f)
	}
	if f := records[1]; f.Verified || !strings.Contains(f.Evidence, "not injected") {
		t.Errorf("the fault that found a member down: %+v", f)
	}
}

func waitFor(t *testing.T, ctx context.Context, condition func() bool) {
	t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !condition() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatal("it never came to be")
		}
	}
}

// A fault that finds its victim gone, that never comes to its moment, or that
// is cut short by the end of the run is recorded for what it was.
func TestFaultsThatDoNotHappenAreRecordedAsSuch(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := embedded.Start(ctx, embedded.Config{Members: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	admin := dial(t, c, "admin")
	defer admin.Close()
	clock := history.NewClock()
	var file bytes.Buffer
	conductor := &Conductor{
		World:   &World{Cluster: c, Clients: nobody{}, Admin: admin},
		Lookout: NewLookout(clock, ""), Journal: history.NewFaultJournal(&file), Clock: clock,
	}
	short, end := context.WithTimeout(ctx, 300*time.Millisecond)
	defer end()
	if err := conductor.Run(short, []Planned{
		{ID: 1, Kind: "cut-client", Entry: 0},
		{ID: 2, Kind: "cut-client", Entry: 1, At: time.Hour},
		{ID: 4, Kind: "cut-client", Entry: 3, On: "c1"},
		{ID: 3, Kind: "cut-client", Entry: 2, Subject: "mutex", When: &Trigger{Subject: Names{"mutex"}, Event: Waiting}},
	}); err != nil {
		t.Fatal(err)
	}
	records, err := history.ReadFaults(&file)
	if err != nil {
		t.Fatal(err)
	}
	said := make(map[int64]string)
	for _, f := range records {
		if f.Verified {
			t.Errorf("%+v", f)
		}
		said[f.ID] = f.Evidence
	}
	for id, want := range map[int64]string{1: "nobody to hit", 2: "the time for faults was over", 3: "no client of mutex was waiting", 4: "nobody to hit"} {
		if !strings.Contains(said[id], want) {
			t.Errorf("fault %d: %q, want %q", id, said[id], want)
		}
	}
}

type nobody struct{}

func (nobody) Slots(string) []string          { return []string{"c1"} }
func (nobody) Current(string) (string, int64) { return "", 0 }
func (nobody) Crash(string) bool              { return false }
