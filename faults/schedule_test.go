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
		if err := k.Unsupported(Capabilities{Kind: "embedded", Members: 3, Linked: true, Crasher: true, StatusReader: true}); err != nil {
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
