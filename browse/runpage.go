package browse

import (
	"net/http"
	"slices"
)

// runPage is one run.
type runPage struct {
	Run *run
	// Failing are the properties that are violated or unknown, the worst first.
	Failing  []property
	Untested []untested
	Matrix   []matrix
	Files    []file
	More     bool
	// Earlier and Later are the runs of the same scenario around it.
	Earlier, Later *run
}

// untested is a property that was not put to the test, of all subjects for the same
// reason.
type untested struct {
	Property, Sentence string
	Subjects           []string
}

func add(all []untested, p *property) []untested {
	for i := range all {
		if all[i].Property == p.Property && all[i].Sentence == p.Sentence {
			all[i].Subjects = append(all[i].Subjects, subjectName(p.Subject))
			return all
		}
	}
	return append(all, untested{p.Property, p.Sentence, []string{subjectName(p.Subject)}})
}

// matrix is the verdicts of some subjects: a table of a few columns is readable.
type matrix struct {
	Subjects []string
	Rows     []matrixRow
}

type matrixRow struct {
	Property string
	Cells    []*property
}

// maxColumns is how many subjects one matrix has.
const maxColumns = 6

func matricesOf(r *run) []matrix {
	var all []matrix
	for some := range slices.Chunk(r.subjects(), maxColumns) {
		m := matrix{Subjects: some}
		var names []string
		for i := range r.properties() {
			p := &r.Verdict.Properties[i]
			if slices.Contains(some, p.Subject) && !slices.Contains(names, p.Property) {
				names = append(names, p.Property)
			}
		}
		for _, name := range names {
			row := matrixRow{Property: name}
			for _, subject := range some {
				row.Cells = append(row.Cells, r.property(subject, name))
			}
			m.Rows = append(m.Rows, row)
		}
		all = append(all, m)
	}
	return all
}

func (s *site) run(r *http.Request) (*view, error) {
	c, err := s.library.look()
	if err != nil {
		return nil, err
	}
	name := r.PathValue("name")
	if name == "latest" && c.byName[name] == nil {
		if latest := s.library.latest(); c.byName[latest] != nil {
			return nil, redirect(runLink(latest))
		}
	}
	one := c.byName[name]
	if one == nil {
		return nil, errNoRun
	}
	p := &runPage{Run: one, Matrix: matricesOf(one)}
	for _, property := range one.properties() {
		switch property.standing() {
		case holds:
		case vacuous:
			p.Untested = add(p.Untested, &property)
		default:
			p.Failing = append(p.Failing, property)
		}
	}
	slices.SortStableFunc(p.Failing, func(a, b property) int { return worse(&a, &b) })
	root, err := s.library.directory(name)
	if err != nil {
		return nil, errNoRun
	}
	defer root.Close()
	p.Files, p.More = filesOf(root, name)
	for _, other := range c.Runs { // the newest first
		switch {
		case other.Info.Scenario != one.Info.Scenario || other == one || one.Info.Scenario == "" || other.Verdict == nil:
		case newestFirst(other, one) < 0:
			p.Later = other
		case p.Earlier == nil:
			p.Earlier = other
		}
	}
	return &view{Template: "run", Title: title(one), Here: "runs", Content: p}, nil
}
