package faults

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/etcd-holdfast/holdfast/quantity"
)

// The events that can trigger a fault.
const (
	// Waiting: a client has been in an acquire for longer than Trigger.Longer.
	Waiting = "waiting"
	// Holding: a client has held for longer than Trigger.Longer.
	Holding = "holding"
)

// Trigger lets a fault wait for something to happen to a client of a subject,
// which is then its victim.
type Trigger struct {
	Subject string        `yaml:"subject"`
	Event   string        `yaml:"event"`
	Longer  time.Duration `yaml:"longer"`
}

// Entry is one line of a scenario's faults: either timed (Every) or triggered
// (When, Times). The faults of one entry follow one another; those of
// different entries may overlap.
type Entry struct {
	// Of are the kinds to choose from; One is short for an Of of one.
	Of    []string      `yaml:"of"`
	One   string        `yaml:"fault,omitempty"`
	Every quantity.Span `yaml:"every,omitempty"`
	For   quantity.Span `yaml:"for"`
	When  *Trigger      `yaml:"when,omitempty"`
	Times int           `yaml:"times,omitempty"`
}

// Planned is one fault of a plan.
type Planned struct {
	ID   int64
	Kind string
	// Entry is the index of the entry that planned it.
	Entry int
	// At is when it begins, for a timed fault; After its predecessor in the
	// entry and then When happens, for a triggered one.
	At   time.Duration
	For  time.Duration
	When *Trigger
	// Choice seeds the stream from which the victim is drawn.
	Choice uint64
}

// String describes the fault as it was planned.
func (p Planned) String() string {
	if p.When != nil {
		return fmt.Sprintf("%s for %v when a client of %s is %s for longer than %v", p.Kind, p.For.Round(time.Millisecond), p.When.Subject, p.When.Event, p.When.Longer)
	}
	return fmt.Sprintf("%s for %v at %v", p.Kind, p.For.Round(time.Millisecond), p.At.Round(time.Millisecond))
}

// Schedule makes the plan for faults during duration. It is a pure function of
// its arguments: stream must return the random stream of a label, the same
// for the same label every time. Adding an entry does not change the faults of
// those before it. An entry without faults, or neither timed nor triggered,
// plans none.
func Schedule(stream func(label string) *rand.Rand, entries []Entry, duration time.Duration) []Planned {
	var plan []Planned
	for i, e := range entries {
		if len(e.Of) == 0 || e.When == nil && e.Every.Max <= 0 {
			continue // it says neither what nor when
		}
		r := stream(fmt.Sprintf("faults/%d", i))
		at := time.Duration(0)
		for n := 0; ; n++ {
			gap, length, which, choice := e.Every.Draw(r), e.For.Draw(r), r.IntN(len(e.Of)), r.Uint64()
			p := Planned{Kind: e.Of[which], Entry: i, For: length, When: e.When, Choice: choice}
			if k, ok := Named(p.Kind); ok && k.Instant {
				p.For = 0
			}
			if e.When != nil {
				if n == e.Times {
					break
				}
			} else {
				at += gap
				// A fault that has no time left to show itself is not planned.
				if at+min(p.For, time.Second) > duration {
					break
				}
				p.At = at
				at += p.For
			}
			p.ID = int64(len(plan) + 1)
			plan = append(plan, p)
		}
	}
	return plan
}
