package holdfast

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/etcd-holdfast/holdfast/faults"
	"github.com/etcd-holdfast/holdfast/quantity"
)

// pinnedMistakes judges an entry of faults with at.
func (s *Scenario) pinnedMistakes(field string, f Fault, wrong complain) {
	if *f.At < 0 || *f.At >= s.Duration && s.Duration > 0 {
		wrong(field+".at", "%v is not within the %v of load, from whose beginning it counts", *f.At, s.Duration)
	}
	if len(f.Of) > 1 {
		wrong(field+".of", "a fault with at is one fault, and these are %d", len(f.Of))
	}
	for _, other := range []struct {
		field string
		set   bool
	}{
		{"every", f.Every != quantity.Span{}}, {"when", f.When != nil}, {"times", f.Times != 0 && f.When == nil}, {"peace", f.Peace != 0},
		{"rest", f.Rest != quantity.Span{}}, {"until", f.Until != ""},
	} {
		if other.set {
			wrong(field+"."+other.field, "a fault with at happens once, at that time; it cannot have %s", other.field)
		}
	}
	if lasts(f.Of) {
		fixed(field+".for", f.For, wrong)
	}
}

// fixed demands a duration that is not drawn.
func fixed(field string, span quantity.Span, wrong complain) {
	switch {
	case span.Max == 0 && span.Min == 0:
		wrong(field, "it has to say how long the fault lasts, as in for: 2s")
	case span.Min != span.Max:
		wrong(field, "%s is a range, and nothing of this fault is drawn; give one duration", span)
	}
}

// fixedMistakes judges what names a fault's victim.
func (s *Scenario) fixedMistakes(field string, f Fault, wrong complain) {
	if f.On != "" {
		var kind faults.Kind
		if len(f.Of) > 0 {
			kind, _ = faults.Named(f.Of[0])
		}
		switch {
		case f.At == nil && f.When != nil:
			wrong(field+".on", "it belongs to a fault with at; a triggered one hits whom its moment is of, and its when can name a client")
		case f.At == nil:
			wrong(field+".on", "it belongs to a fault with at; a timed one hits whoever is drawn")
		case kind.Name != "" && !kind.OnClient:
			wrong(field+".on", "%s hits no client; what it hits is decided by choice", kind.Name)
		case !s.hasSlot(f.On):
			wrong(field+".on", "there is no client %q; there are c1 to c%d", f.On, s.clientCount())
		}
	}
	if f.Choice != nil && f.At == nil {
		switch {
		case f.When == nil:
			wrong(field+".choice", "it belongs to one fault, with at or when; those of a timed entry are drawn")
		case len(f.Of) > 1 || f.Times > 1:
			wrong(field+".choice", "it belongs to one fault; an entry with it has one kind, and times 1")
		}
	}
}

// chainMistakes judges whether entry i can follow those before it.
func (s *Scenario) chainMistakes(i int, wrong complain) {
	f := &s.Faults[i]
	field := fmt.Sprintf("faults[%d].chain", i)
	switch {
	case f.Chain == 0:
		return
	case f.Chain < 0:
		wrong(field, "%d is less than 1", f.Chain)
		return
	case f.At == nil && f.When == nil:
		wrong(field, "it belongs to faults with at or when; those of a timed entry follow one another anyway")
		return
	}
	until := f.Until
	for j := i - 1; j >= 0; j-- {
		g := &s.Faults[j]
		if g.Chain != f.Chain || g.At == nil && g.When == nil {
			continue
		}
		if until == "" {
			until = g.Until
		}
		switch {
		case (f.At == nil) != (g.At == nil):
			wrong(field, "faults[%d] is of the same chain, and only one of the two has at", j)
		case f.At != nil && *f.At < *g.At:
			wrong(field, "at %v is before faults[%d], at %v, which it follows", *f.At, j, *g.At)
		case f.When != nil && !reflect.DeepEqual(f.When, g.When):
			wrong(field, "faults[%d] is of the same chain, and waits for something else; the faults of a chain have the same when", j)
		case g.Until != "" && g.Until != until:
			wrong(field, "faults[%d] is of the same chain, and is healed by something else; those that last have the same until", j)
		default:
			continue
		}
		return
	}
}

// clientCount is how many slots there are.
func (s *Scenario) clientCount() int {
	n := 0
	for _, w := range s.Workloads {
		n += w.Clients + w.Observers
	}
	return n
}

// hasSlot is true if a slot is one of a client of the scenario.
func (s *Scenario) hasSlot(slot string) bool {
	n, ok := slotNumber(slot)
	return ok && n <= s.clientCount()
}

// slotNumber is the number of a slot: 3 of c3.
func slotNumber(slot string) (int, bool) {
	text, ok := strings.CutPrefix(slot, "c")
	n, err := strconv.Atoi(text)
	return n, ok && err == nil && n >= 1 && text == strconv.Itoa(n)
}

// roundMistakes judges whose rounds a workload has written down.
func (s *Scenario) roundMistakes(workload int, wrong complain) {
	w := &s.Workloads[workload]
	first := 1
	for _, before := range s.Workloads[:workload] {
		first += before.Clients + before.Observers
	}
	last := first + w.Clients - 1
	for _, client := range slices.Sorted(maps.Keys(w.Rounds)) {
		slot, incarnation, replaced := strings.Cut(client, ".")
		n, ok := slotNumber(slot)
		again, err := strconv.Atoi(incarnation)
		if !ok || n < first || n > last || replaced && (err != nil || again < 1 || incarnation != strconv.Itoa(again)) {
			wrong(fmt.Sprintf("workloads[%d].rounds.%s", workload, client),
				"%q is no client that makes rounds of %s: these are c%d to c%d and those that replace them, such as c%d.1", client, w.Subject, first, last, first)
		}
	}
}
