package faults

import (
	"math/rand/v2"
	"time"

	"github.com/etcd-holdfast/holdfast/quantity"
)

// pinned plans the entry's one fault. Nothing of it is drawn.
func (e *Entry) pinned(plan []Planned, entry int) []Planned {
	p := Planned{ID: int64(len(plan) + 1), Kind: e.Of[0], Entry: entry, At: *e.At, For: e.For.Min, On: e.On}
	if k, ok := Named(p.Kind); ok && k.Instant {
		p.For = 0
	}
	if e.Choice != nil {
		p.Choice = *e.Choice
	}
	return append(plan, p)
}

// Resolve names the victims that are known before the run. slots are those of
// all clients, as Clients.Slots("") lists them: a timed fault on a client gets
// the slot that its Choice would pick. What then decides nothing is left out, so
// that plans which do the same are equal.
func Resolve(plan []Planned, slots []string) {
	for i := range plan {
		p := &plan[i]
		kind, ok := Named(p.Kind)
		if !ok {
			continue
		}
		if kind.OnClient && p.When == nil && p.On == "" && len(slots) > 0 {
			p.On = slots[rand.New(rand.NewPCG(p.Choice, 0)).IntN(len(slots))]
		}
		if !kind.Draws && (!kind.OnClient || p.When != nil || p.On != "") {
			p.Choice = 0
		}
	}
}

// Pinned returns entries that plan just these faults, one each and in their
// order, whatever the seed. Faults that follow one another have one Chain.
func Pinned(plan []Planned) []Entry {
	length := make(map[chain]int)
	for _, p := range plan {
		length[p.chain()]++
	}
	numbers := make(map[chain]int)
	var entries []Entry
	for _, p := range plan {
		e := Entry{Of: []string{p.Kind}, For: only(p.For), Until: p.Until, On: p.On}
		kind, _ := Named(p.Kind)
		if !kind.Instant {
			e.For = only(max(p.For, 1)) // zero would be a default
		}
		if p.Choice != 0 || kind.Draws {
			e.Choice = &p.Choice
		}
		if p.When == nil {
			e.At = &p.At
		} else {
			when := *p.When
			when.Subject = Names{p.Subject}
			e.When, e.Times, e.Peace, e.Rest = &when, 1, p.At, only(p.Rest)
		}
		if key := p.chain(); length[key] > 1 {
			if numbers[key] == 0 {
				numbers[key] = len(numbers) + 1
			}
			e.Chain = numbers[key]
		}
		entries = append(entries, e)
	}
	return entries
}

func only(d time.Duration) quantity.Span { return quantity.Span{Min: d, Max: d} }
