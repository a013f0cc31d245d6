package faults

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// Whose turn it is to draw must not matter: there is nothing to draw.
func TestPinnedFaultsAskNoSeed(t *testing.T) {
	at, choice := func(d time.Duration) *time.Duration { return &d }, uint64(7)
	entries := []Entry{
		{Of: []string{"cut-client"}, At: at(time.Second), For: only(2 * time.Second), On: "c2"},
		{Of: []string{"split"}, At: at(0), For: only(time.Second), Choice: &choice, Chain: 4},
		{Of: []string{"compact"}, At: at(3 * time.Second), Chain: 4},
	}
	plan := Schedule(func(string) *rand.Rand { return nil }, entries[:1], time.Minute)
	if want := []Planned{{ID: 1, Kind: "cut-client", At: time.Second, For: 2 * time.Second, On: "c2"}}; !reflect.DeepEqual(plan, want) {
		t.Errorf("%+v", plan)
	}
	plan = Schedule(streamsOf(1), entries, time.Minute)
	if !reflect.DeepEqual(plan, Schedule(streamsOf(2), entries, time.Minute)) {
		t.Error("two seeds, two plans")
	}
	if plan[1].Entry != 1 || plan[2].Entry != 1 || plan[1].Choice != 7 || plan[2].For != 0 {
		t.Errorf("%+v", plan)
	}
}

// An instant is healed by nothing, and the fault after it in its chain still is.
func TestAChainIsHealedAsItsLastingFaultsSay(t *testing.T) {
	entry := Entry{
		Of: []string{"compact", "lose-answer"}, When: &Trigger{Subject: Names{"mutex"}, Event: "answer Txn", Nth: 1}, Times: 40,
		For: only(time.Second), Until: "signal heal",
	}
	plan := Schedule(streamsOf(3), []Entry{entry}, time.Minute)
	for _, p := range plan {
		if (p.Until == "") != (p.Kind == "compact") {
			t.Errorf("%+v", p)
		}
	}
	again := Schedule(streamsOf(4), Pinned(plan), time.Minute)
	Resolve(plan, nil)
	Resolve(again, nil)
	if !reflect.DeepEqual(plan, again) {
		t.Errorf("%+v\n%+v", plan, again)
	}
}

// What a victim's slot is drawn by is the same before the run as in it.
func TestTheVictimIsKnownBeforehand(t *testing.T) {
	slots := []string{"c1", "c2", "c3", "c4", "c5"}
	w := &World{Clients: people(slots)}
	for choice := range uint64(200) {
		plan := []Planned{{Kind: "cut-client", Choice: choice}}
		slot, _, _ := victim(w, rand.New(rand.NewPCG(choice, 0)), "")
		if Resolve(plan, slots); plan[0].On != slot || plan[0].Choice != 0 {
			t.Fatalf("choice %d hits %s, and was to hit %+v", choice, slot, plan[0])
		}
		plan = []Planned{{Kind: "lose-answer-partly", Choice: choice}}
		drawn, named := rand.New(rand.NewPCG(choice, 0)), rand.New(rand.NewPCG(choice, 0))
		victim(w, drawn, "")
		Resolve(plan, slots)
		victim(w, named, plan[0].On)
		if plan[0].On != slot || plan[0].Choice != choice || drawn.Uint64() != named.Uint64() {
			t.Fatalf("choice %d draws other members when its victim is named", choice)
		}
	}
}

func TestAPinnedFaultHitsTheClientInItsSlot(t *testing.T) {
	s := newStage(t)
	for _, client := range []string{"c1", "c2"} {
		if _, err := s.join(t, client).Put(t.Context(), "k", client); err != nil {
			t.Fatal(err)
		}
	}
	var plan []Planned
	for id := range int64(8) { // whatever is drawn
		plan = append(plan, Planned{ID: id + 1, Kind: "reset-client", On: "c2", Choice: uint64(id)})
	}
	if err := s.conductor.Run(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	records, err := history.ReadFaults(&s.file)
	if err != nil || len(records) != len(plan) || !records[0].Verified {
		t.Fatalf("%v: %+v", err, records)
	}
	for _, f := range records {
		if f.Target != "c2" {
			t.Errorf("%+v", f)
		}
	}
}

// people are clients that fill the slots that they are named after.
type people []string

func (p people) Slots(string) []string               { return p }
func (p people) Current(slot string) (string, int64) { return slot, 0 }
func (p people) Crash(string) bool                   { return false }
