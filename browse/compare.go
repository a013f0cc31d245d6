package browse

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/etcd-holdfast/holdfast"
)

// comparison is two runs side by side. Rows in which they do not differ are left
// out unless all are wanted; Same is how many were.
type comparison struct {
	A, B     *run
	All      bool
	Facts    []pair
	Verdicts []verdictPair
	Figures  []figurePair
	Faults   []faultPair
	// Changes are the lines in which the scenarios differ.
	Changes []line
	Same    int
}

// pair is what one thing is in each of two runs.
type pair struct {
	Name, A, B string
	Differs    bool
}

type verdictPair struct {
	Subject, Property string
	// A and B are nil where the run does not judge it.
	A, B    *property
	Differs bool
}

type figurePair struct {
	Subject, Property, Name string
	A, B, Change            string
	Differs                 bool
}

// faultPair are the faults of one kind: how many were injected, and of how many the
// effect was proved.
type faultPair struct {
	Fault   string
	A, B    faultCount
	Differs bool
}

type faultCount struct{ Injected, Verified int }

func (c faultCount) String() string {
	if c.Injected == 0 {
		return "–"
	}
	return fmt.Sprintf("%d, %d proved", c.Injected, c.Verified)
}

// line is one of a scenario: "+" only of the second, "-" only of the first.
type line struct{ Sign, Text string }

// compare sets two runs side by side.
func compare(a, b *run, all bool) *comparison {
	c := &comparison{A: a, B: b, All: all}
	c.Facts = keep(c, factsOf(a, b), func(p pair) bool { return p.Differs })
	c.Verdicts = keep(c, verdictsOf(a, b), func(p verdictPair) bool { return p.Differs })
	c.Figures = keep(c, figuresOf(a, b), func(p figurePair) bool { return p.Differs })
	c.Faults = keep(c, faultsOf(a, b), func(p faultPair) bool { return p.Differs })
	c.Changes = changes(a.Scenario, b.Scenario)
	return c
}

// Two are the runs, A and B.
func (c *comparison) Two() []*run { return []*run{c.A, c.B} }

// keep leaves out rows that do not differ, and counts them.
func keep[T any](c *comparison, rows []T, differs func(T) bool) []T {
	if c.All {
		return rows
	}
	some := slices.DeleteFunc(slices.Clone(rows), func(row T) bool { return !differs(row) })
	c.Same += len(rows) - len(some)
	return some
}

func factsOf(a, b *run) []pair {
	var rows []pair
	add := func(name string, of func(*run) string) {
		p := pair{Name: name, A: of(a), B: of(b)}
		p.Differs = p.A != p.B
		if p.A+p.B != "" {
			rows = append(rows, p)
		}
	}
	add("verdict", func(r *run) string { return standingOf(r).Word })
	add("scenario", func(r *run) string { return r.Info.Scenario })
	add("seed", func(r *run) string { return strconv.FormatInt(r.Info.Seed, 10) })
	add("started", func(r *run) string { return stampText(r.Info.Started) })
	add("load", func(r *run) string { return positive(r.Duration.Seconds(), " s") })
	add("calls a second of load", func(r *run) string { return positive(r.calls(), "") })
	add("rounds a second of load", func(r *run) string { return positive(r.rounds(), "") })
	add("cluster", func(r *run) string { return r.Info.Cluster })
	add("etcd", func(r *run) string { return r.Info.Etcd })
	add("holdfast", func(r *run) string { return strings.TrimSpace(r.Info.Holdfast + " " + r.Info.Git) })
	add("Go", func(r *run) string { return r.Info.Go })
	add("host", func(r *run) string { return r.Info.Host })
	add("ended", func(r *run) string { return r.Info.Ended })
	add("judged strictly", func(r *run) string { return map[bool]string{true: "yes", false: "no"}[r.Info.Strict] })
	add("warnings", func(r *run) string { return strconv.Itoa(len(r.Info.Warnings)) })
	add("digest", func(r *run) string { return r.Info.Digest })
	return rows
}

// stampText is a time for people, in UTC.
func stampText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// positive is a number, or "" if it is not known.
func positive(value float64, unit string) string {
	if value <= 0 {
		return ""
	}
	return number(value) + unit
}

// keys are the subjects and properties of two runs, in the order of the first and
// then of the second.
func keys(a, b *run) [][2]string {
	var all [][2]string
	seen := make(map[[2]string]bool)
	for _, r := range []*run{a, b} {
		for i := range r.properties() {
			p := &r.Verdict.Properties[i]
			if key := [2]string{p.Subject, p.Property}; !seen[key] {
				seen[key] = true
				all = append(all, key)
			}
		}
	}
	return all
}

func verdictsOf(a, b *run) []verdictPair {
	var rows []verdictPair
	for _, key := range keys(a, b) {
		row := verdictPair{Subject: key[0], Property: key[1], A: a.property(key[0], key[1]), B: b.property(key[0], key[1])}
		row.Differs = row.A == nil || row.B == nil || row.A.standing() != row.B.standing() || row.A.Blame != row.B.Blame || row.A.Known != row.B.Known
		rows = append(rows, row)
	}
	return rows
}

func figuresOf(a, b *run) []figurePair {
	var rows []figurePair
	for _, key := range keys(a, b) {
		names := make(map[string]bool)
		p, q := a.property(key[0], key[1]), b.property(key[0], key[1])
		for _, side := range []*property{p, q} {
			if side != nil {
				for name := range side.Figures {
					names[name] = true
				}
			}
		}
		for _, name := range slices.SortedFunc(maps.Keys(names), figureOrder) {
			words, unit := cutUnit(name)
			row := figurePair{Subject: key[0], Property: key[1], Name: words}
			x, hasX := figureOf(p, name)
			y, hasY := figureOf(q, name)
			row.A, row.B = "–", "–"
			if hasX {
				row.A = amount(x, unit)
			}
			if hasY {
				row.B = amount(y, unit)
			}
			if hasX && hasY && x != y {
				row.Change = change(x, y, unit)
			}
			row.Differs = row.A != row.B
			rows = append(rows, row)
		}
	}
	return rows
}

func figureOf(p *property, name string) (float64, bool) {
	if p == nil {
		return 0, false
	}
	value, ok := p.Figures[name]
	return value, ok
}

func faultsOf(a, b *run) []faultPair {
	count := func(r *run) map[string]faultCount {
		counts := make(map[string]faultCount)
		if r.Verdict == nil {
			return counts
		}
		for _, f := range r.Verdict.Faults {
			c := counts[f.Fault]
			if !f.Unfired && !f.Uninjected {
				c.Injected++
			}
			if f.Verified {
				c.Verified++
			}
			counts[f.Fault] = c
		}
		return counts
	}
	x, y := count(a), count(b)
	names := maps.Clone(x)
	maps.Copy(names, y)
	var rows []faultPair
	for _, name := range slices.Sorted(maps.Keys(names)) {
		rows = append(rows, faultPair{Fault: name, A: x[name], B: y[name], Differs: x[name] != y[name]})
	}
	return rows
}

// maxDiff is how large a scenario is of which differences are shown: the time that
// they take to find is bounded by it.
const maxDiff = 1 << 20

func changes(a, b []byte) []line {
	if len(a)+len(b) > maxDiff {
		return []line{{"", "the scenarios are too large to compare"}}
	}
	text := string(diff.Diff("a", a, "b", b))
	var lines []line
	for i, text := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if i < 3 || text == "" { // its head
			continue
		}
		l := line{Text: text[1:]}
		switch text[0] {
		case '+', '-':
			l.Sign = text[:1]
		case '@':
			l = line{Text: "⋯"}
		}
		lines = append(lines, l)
	}
	return lines
}

// reportOf is the address of a run's report, or "".
func reportOf(r *run) string {
	if !r.Report {
		return ""
	}
	return fileLink(r.Name, holdfast.ReportFile)
}
