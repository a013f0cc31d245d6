package faults

import (
	"hash/fnv"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/etcd-holdfast/holdfast/quantity"
)

func streamsOf(seed uint64) func(string) *rand.Rand {
	return func(label string) *rand.Rand {
		h := fnv.New64a()
		h.Write([]byte(label))
		return rand.New(rand.NewPCG(seed, h.Sum64()))
	}
}

func TestPlansKeepTheirEntriesWord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		least := time.Duration(rapid.Int64Range(10, 3000).Draw(t, "every")) * time.Millisecond
		length := time.Duration(rapid.Int64Range(0, 5000).Draw(t, "for")) * time.Millisecond
		entry := Entry{
			Of:    []string{"split", "cut-client", "compact"},
			Every: quantity.Span{Min: least, Max: 2 * least},
			For:   quantity.Span{Min: length, Max: length + time.Second},
		}
		triggered := Entry{Of: []string{"crash-client", "cut-client"}, For: entry.For, When: &Trigger{Subject: Names{"mutex"}, Event: Waiting}, Times: rapid.IntRange(1, 5).Draw(t, "times")}
		duration := time.Duration(rapid.IntRange(1, 60).Draw(t, "duration")) * time.Second
		seed := rapid.Uint64().Draw(t, "seed")
		plan := Schedule(streamsOf(seed), []Entry{entry, triggered}, duration)
		if !reflect.DeepEqual(plan, Schedule(streamsOf(seed), []Entry{entry, triggered}, duration)) {
			t.Fatal("one seed, two plans")
		}
		free, hits := time.Duration(0), 0
		for i, p := range plan {
			if p.ID != int64(i+1) {
				t.Errorf("fault %d has id %d", i, p.ID)
			}
			kind, ok := Named(p.Kind)
			if !ok {
				t.Fatalf("there is no fault %q", p.Kind)
			}
			if kind.Instant != (p.For == 0) && !(length == 0 && p.For < time.Second) {
				t.Errorf("%v", p)
			}
			if p.Entry == 1 {
				hits++
				continue
			}
			if p.At < free+least || p.At > duration {
				t.Errorf("%v begins before %v + %v, or after %v", p, free, least, duration)
			}
			free = p.At + p.For
		}
		if hits != triggered.Times {
			t.Errorf("%d triggered faults, want %d", hits, triggered.Times)
		}
	})
}

func TestEveryKindIsWhole(t *testing.T) {
	seen := make(map[string]bool)
	for _, k := range Kinds() {
		if k.Name == "" || k.Summary == "" || k.inject == nil || seen[k.Name] {
			t.Errorf("%+v", k)
		}
		seen[k.Name] = true
		if err := k.Unsupported(Capabilities{Kind: "embedded", Members: 3, Linked: true, Crasher: true, StatusReader: true, Pauser: true, LeaderMover: true, Stopper: true, Freezer: true, DiskSlower: true, DiskFiller: true, Fsync: true, Unplugger: true, Throttler: true, Squeezer: true, PacketLoser: true, PacketDelayer: true}); err != nil {
			t.Errorf("%s: %v", k.Name, err)
		}
	}
	if _, ok := Named("nothing"); ok {
		t.Error("there is a fault called nothing")
	}
	bare := Capabilities{Kind: "bare", Members: 1}
	for _, name := range []string{"split", "cut-client", "crash-member", "isolate-leader"} {
		k, _ := Named(name)
		if err := k.Unsupported(bare); err == nil {
			t.Errorf("%s is supported by a cluster that can do nothing", name)
		}
	}
}

// Peace comes before the first fault of an entry, and Rest before each that is
// triggered; both leave the draws of everything else as they are.
func TestPeaceAndRest(t *testing.T) {
	span := func(d time.Duration) quantity.Span { return quantity.Span{Min: d, Max: d} }
	stream := func(label string) *rand.Rand { return rand.New(rand.NewPCG(7, uint64(len(label)))) }
	timed := Entry{Of: []string{"cut-client", "stall-client"}, Every: span(time.Second), For: span(time.Second)}
	later := timed
	later.Peace = 3 * time.Second
	plan := Schedule(stream, []Entry{timed}, 20*time.Second)
	delayed := Schedule(stream, []Entry{later}, 23*time.Second)
	if len(plan) == 0 || len(plan) != len(delayed) {
		t.Fatalf("%d faults, and %d after peace", len(plan), len(delayed))
	}
	for i := range plan {
		if delayed[i].At != plan[i].At+later.Peace || delayed[i].Kind != plan[i].Kind || delayed[i].Choice != plan[i].Choice {
			t.Errorf("after peace %+v, without %+v", delayed[i], plan[i])
		}
	}
	triggered := Entry{
		Of: []string{"cut-client"}, When: &Trigger{Subject: Names{"mutex"}, Event: Waiting, Nth: 1}, Times: 3, For: span(time.Second),
		Peace: 2 * time.Second, Rest: quantity.Span{Min: time.Second, Max: 2 * time.Second},
	}
	for _, p := range Schedule(stream, []Entry{triggered}, 20*time.Second) {
		if p.At != triggered.Peace || p.Rest < time.Second || p.Rest > 2*time.Second {
			t.Errorf("%+v", p)
		}
	}
}
