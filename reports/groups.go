package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
)

// group is the violations of one property on one subject that have the same
// cause: to the reader they are one thing that happens count times.
type group struct {
	Subject, Property string
	Primitive         history.Primitive
	Blame             checker.Blame
	Known             string
	Violations        []*checker.Violation
}

// title names a property of a subject.
func title(subject, property string) string { return subjectName(subject) + " · " + property }

// rank orders groups, the worst first.
type rank int

const (
	unexplained rank = iota
	known
	leaseOnly
)

func (g *group) rank() rank {
	switch {
	case g.Blame == checker.BlameLease:
		return leaseOnly
	case g.Known != "":
		return known
	default:
		return unexplained
	}
}

// full is how many of the group's violations the page shows.
func (g *group) full() int {
	if g.rank() != unexplained {
		return 2
	}
	return 3
}

// groups sorts every violation of a result into its group, the worst first.
func groups(result *checker.Result) []*group {
	var all []*group
	for i := range result.Properties {
		p := &result.Properties[i]
		if p.Verdict != checker.Violated {
			continue
		}
		all = append(all, byCause(p)...)
	}
	slices.SortStableFunc(all, func(a, b *group) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.severity(), b.severity()))
	})
	return all
}

// severity orders groups of one rank by how much harm their property stands for, and
// how plainly, the worst first.
func (g *group) severity() int {
	if at := slices.Index(severest, g.Property); at >= 0 {
		return at
	}
	return len(severest)
}

var severest = []string{
	checker.Durability, checker.Lease, checker.Exclusion, checker.Delivery, checker.Total, checker.Passage, checker.Ownership,
	checker.Linearizable, checker.Fencing, checker.Observe, checker.Progress, checker.Leftovers, checker.Contract, checker.Refusal,
	checker.Order, checker.Notice,
}

// byCause sorts the violations of one property.
func byCause(p *checker.Property) []*group {
	var all []*group
	for k := range p.Violations {
		v := &p.Violations[k]
		at := slices.IndexFunc(all, func(g *group) bool { return g.Blame == v.Blame && g.Known == v.Known })
		if at < 0 {
			at, all = len(all), append(all, &group{Subject: p.Subject, Property: p.Property, Primitive: p.Primitive, Blame: v.Blame, Known: v.Known})
		}
		all[at].Violations = append(all[at].Violations, v)
	}
	slices.SortStableFunc(all, func(a, b *group) int { return int(a.rank()) - int(b.rank()) })
	return all
}

// tally counts what a result holds.
type tally struct {
	failing  int      // properties with a violation that nothing explains
	unknown  int      // properties
	vacuous  int      // properties
	issues   []string // distinct known defects that showed, sorted
	overlaps int      // violations that only a lease is to blame for
}

func count(result *checker.Result) tally {
	var t tally
	for i := range result.Properties {
		p := &result.Properties[i]
		switch p.Verdict {
		case checker.Unknown:
			t.unknown++
		case checker.Vacuous:
			t.vacuous++
		case checker.Violated:
			if p.Fails(false) || len(p.Violations) == 0 {
				t.failing++
			}
			for k := range p.Violations {
				switch v := &p.Violations[k]; {
				case v.Known != "" && !slices.Contains(t.issues, v.Known):
					t.issues = append(t.issues, v.Known)
				case v.Known == "" && v.Blame == checker.BlameLease:
					t.overlaps++
				}
			}
		}
	}
	slices.Sort(t.issues)
	return t
}

// overall is the verdict of the run in one line.
func overall(result *checker.Result) string {
	t := count(result)
	total := plural(len(result.Properties), "property")
	if len(result.Properties) != 1 {
		total = fmt.Sprintf("%d properties", len(result.Properties))
	}
	line := string(result.Verdict)
	if line == "" {
		line = "not judged"
	}
	switch {
	case result.Verdict == checker.Violated && t.failing > 0:
		line += fmt.Sprintf(": %d of %s broken", t.failing, total)
	case result.Verdict == checker.Violated:
		line += ": judged strictly, nothing is allowed"
	case result.Verdict == checker.Unknown && t.unknown > 0:
		line += fmt.Sprintf(": %d of %s could not be decided", t.unknown, total)
	case result.Verdict == checker.Vacuous && len(result.Unfired) > 0:
		line += fmt.Sprintf(": %s never had the moment to strike", plural(len(result.Unfired), "planned fault"))
	case result.Verdict == checker.Vacuous && t.vacuous > 0:
		line += fmt.Sprintf(": %d of %s never put to the test", t.vacuous, total)
	}
	var with []string
	if n := len(t.issues); n > 0 {
		with = append(with, fmt.Sprintf("%s (%s)", plural(n, "known defect"), strings.Join(t.issues, ", ")))
	}
	if t.overlaps > 0 {
		with = append(with, plural(t.overlaps, "lease overlap"))
	}
	if len(with) > 0 {
		line += ", with " + strings.Join(with, ", ")
	}
	return line
}
