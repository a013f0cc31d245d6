package faults

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/etcd-holdfast/holdfast/quantity"
)

// Entry is one line of a scenario's faults: timed (Every), triggered (When,
// Times) or pinned (At). The faults of one entry follow one another; those of
// different entries may overlap, unless they have one Chain.
type Entry struct {
	// Of are the kinds to choose from; One is short for an Of of one.
	Of    []string      `yaml:"of"`
	One   string        `yaml:"fault,omitempty"`
	Every quantity.Span `yaml:"every,omitempty"`
	// For is how long it lasts; at most, if it is healed by the event Until of
	// the clients that When names.
	For   quantity.Span `yaml:"for"`
	Until string        `yaml:"until,omitempty"`
	When  *Trigger      `yaml:"when,omitempty"`
	Times int           `yaml:"times,omitempty"`
	// Peace is the time before the entry's first fault. Rest is how long the
	// fault of a state that lasts, waiting or holding, lets its victims be after
	// its predecessor.
	Peace time.Duration `yaml:"peace,omitempty"`
	Rest  quantity.Span `yaml:"rest,omitempty"`
	// At pins the entry's one fault to a time since the load began.
	At *time.Duration `yaml:"at,omitempty"`
	// On is the slot whose client a pinned fault hits. Without it, Choice decides.
	On string `yaml:"on,omitempty"`
	// Choice takes the place of what the seed would draw for the entry's one fault:
	// which members it hits, or which client. A pinned fault without it has zero.
	Choice *uint64 `yaml:"choice,omitempty"`
	// Chain, if not zero, makes the faults of all entries with it follow one
	// another, as if they were of the first of them.
	Chain int `yaml:"chain,omitempty"`
}

// Planned is one fault of a plan.
type Planned struct {
	ID   int64
	Kind string
	// Entry is the index of the entry that planned it, or of the first one with
	// its Chain.
	Entry int
	// At is when it begins, for a timed fault. A triggered one follows its
	// predecessor of the same entry and Subject, when When happens there, but not
	// before At and Rest after its predecessor.
	At      time.Duration
	Rest    time.Duration
	For     time.Duration
	Until   string
	When    *Trigger
	Subject string
	// On is the slot whose client it hits, if that is known.
	On string
	// Choice seeds the stream from which the victim is drawn.
	Choice uint64
}

// String describes the fault as it was planned.
func (p Planned) String() string {
	if p.When != nil {
		text := fmt.Sprintf("%s for %v when %s", p.Kind, p.For.Round(time.Millisecond), p.When.moment(p.Subject))
		if p.Until != "" {
			text += ", until " + p.Until
		}
		return text
	}
	kind := p.Kind
	if p.On != "" {
		kind += " of " + p.On
	}
	return fmt.Sprintf("%s for %v at %v", kind, p.For.Round(time.Millisecond), p.At.Round(time.Millisecond))
}

// Schedule makes the plan for faults during duration. It is a pure function of
// its arguments: stream must return the random stream of a label, the same
// for the same label every time. Adding an entry does not change the faults of
// those before it. An entry without faults, or neither timed nor triggered nor
// pinned, plans none.
func Schedule(stream func(label string) *rand.Rand, entries []Entry, duration time.Duration) []Planned {
	var plan []Planned
	firsts := make(map[int]int) // entries by chain
	for i, e := range entries {
		if len(e.Of) == 0 || e.At == nil && e.When == nil && e.Every.Max <= 0 {
			continue // it says neither what nor when
		}
		entry, label := i, fmt.Sprintf("faults/%d", i)
		if e.Chain != 0 {
			if _, follows := firsts[e.Chain]; !follows {
				firsts[e.Chain] = i
			}
			entry = firsts[e.Chain]
		}
		switch {
		case e.At != nil:
			plan = e.pinned(plan, entry)
		case e.When == nil:
			plan = e.timed(plan, entry, stream(label), duration)
		case len(e.When.Subject) == 1:
			plan = e.triggered(plan, entry, e.When.Subject[0], stream(label))
		default:
			for _, subject := range e.When.Subject {
				plan = e.triggered(plan, entry, subject, stream(label+"/"+subject))
			}
		}
	}
	return plan
}

// draw returns the entry's next fault, and the gap before it.
func (e *Entry) draw(r *rand.Rand, entry int) (p Planned, gap time.Duration) {
	pauses := e.Every
	if e.When != nil {
		pauses = e.Rest
	}
	gap, length, which, choice := pauses.Draw(r), e.For.Draw(r), r.IntN(len(e.Of)), r.Uint64()
	if e.Choice != nil {
		choice = *e.Choice
	}
	p = Planned{Kind: e.Of[which], Entry: entry, For: length, When: e.When, Choice: choice}
	if k, ok := Named(p.Kind); ok && k.Instant {
		p.For = 0
	}
	return p, gap
}

func (e *Entry) timed(plan []Planned, entry int, r *rand.Rand, duration time.Duration) []Planned {
	for at := e.Peace; ; {
		p, gap := e.draw(r, entry)
		at += gap
		// A fault that has no time left to show itself is not planned.
		if at >= duration || at+min(p.For, time.Second) > duration {
			return plan
		}
		p.At = at
		at += p.For
		p.ID = int64(len(plan) + 1)
		plan = append(plan, p)
	}
}

func (e *Entry) triggered(plan []Planned, entry int, subject string, r *rand.Rand) []Planned {
	for range e.Times {
		p, rest := e.draw(r, entry)
		p.Subject, p.At, p.Rest = subject, e.Peace, rest
		if k, ok := Named(p.Kind); !ok || !k.Instant {
			p.Until = e.Until
		}
		p.ID = int64(len(plan) + 1)
		plan = append(plan, p)
	}
	return plan
}
