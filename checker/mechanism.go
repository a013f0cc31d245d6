package checker

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/etcd-holdfast/holdfast/history"
)

// Mechanism names what broke, and how: primitive, property, blame, kind of call
// and cause, and the known issue where it is one. For example
//
//	election ownership library campaign: lease ended while waiting (etcd#19597)
//
// Two violations of the same cause have the same mechanism, whatever the
// subjects, clients, objects, times and revisions; those of causes that the
// checks tell apart have different ones.
func Mechanism(p *Property, v *Violation) string {
	primitive := string(p.Primitive)
	if primitive == "" {
		primitive = p.Subject
	}
	name := fmt.Sprintf("%s %s %s", primitive, p.Property, v.Blame)
	if v.Call != "" {
		name += " " + string(v.Call)
	}
	name += ": " + v.Cause
	if v.Known != "" {
		name += " (" + v.Known + ")"
	}
	return name
}

// Broken is one mechanism that a result shows.
type Broken struct {
	Mechanism string
	// Subject and Property are where Violation is, the worst of this mechanism.
	Subject, Property string
	Violation         Violation
	// Count is how many violations have it, of those that are told.
	Count int
	// Excused is true if it fails no run that is not judged strictly: it is
	// known, or a belief that outlived its lease.
	Excused bool
}

// Mechanisms lists the different mechanisms of all violations, the worst first:
// those that nothing excuses, then known ones, then leases; among equals in the
// order of the properties.
func (r *Result) Mechanisms() []Broken {
	var all []Broken
	places := make(map[string]int)
	for i := range r.Properties {
		p := &r.Properties[i]
		for k := range p.Violations {
			v := &p.Violations[k]
			name := Mechanism(p, v)
			if place, ok := places[name]; ok {
				all[place].Count++
				continue
			}
			places[name] = len(all)
			all = append(all, Broken{
				Mechanism: name, Subject: p.Subject, Property: p.Property, Violation: *v, Count: 1,
				Excused: v.rank() != 0,
			})
		}
	}
	slices.SortStableFunc(all, func(a, b Broken) int { return cmp.Compare(a.Violation.rank(), b.Violation.rank()) })
	return all
}

// following is the cause of a violation that a false success explains.
func following(lie *finding) string { return "after a false success: " + lie.Cause }

// lossOf says how a key went.
func (r *record) lossOf(life *history.Life) string {
	switch r.deletedBy(life) {
	case causeLease:
		return "lease ended"
	case causeOther:
		return "key deleted"
	}
	return "key gone"
}
