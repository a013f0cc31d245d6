package reports

import (
	"fmt"
	"slices"

	"github.com/etcd-holdfast/holdfast/checker"
)

// matrix is verdicts by property and subject, of as many subjects as fit side
// by side.
type matrix struct {
	Subjects []string
	Rows     []matrixRow
}

type matrixRow struct {
	Property string
	Cells    []cell
}

// cell is the verdict on one property of one subject.
type cell struct {
	meaning
	Judged   bool
	Sentence string
	Details  []string // figures, or why it neither holds nor is violated
	Causes   []cause
}

// cause is one group of a cell's violations, linked to its section.
type cause struct {
	ID, Blame, Known string
	Count            int
}

// groupID is the anchor of the group at place i.
func groupID(i int) string { return fmt.Sprintf("g%d", i+1) }

const subjectsPerMatrix = 6

func matrices(result *checker.Result, all []*group) []matrix {
	var subjects, properties []string
	byPlace := map[[2]string]*checker.Property{}
	for i := range result.Properties {
		p := &result.Properties[i]
		byPlace[[2]string{p.Subject, p.Property}] = p
		if !slices.Contains(subjects, p.Subject) {
			subjects = append(subjects, p.Subject)
		}
		if !slices.Contains(properties, p.Property) {
			properties = append(properties, p.Property)
		}
	}
	var out []matrix
	for some := range slices.Chunk(subjects, subjectsPerMatrix) {
		var m matrix
		for _, s := range some {
			m.Subjects = append(m.Subjects, subjectName(s))
		}
		for _, property := range properties {
			row := matrixRow{Property: property}
			judged := false
			for _, s := range some {
				c := newCell(byPlace[[2]string{s, property}], all)
				judged = judged || c.Judged
				row.Cells = append(row.Cells, c)
			}
			if judged {
				m.Rows = append(m.Rows, row)
			}
		}
		out = append(out, m)
	}
	return out
}

func newCell(p *checker.Property, all []*group) cell {
	if p == nil {
		return cell{}
	}
	c := cell{meaning: verdictMeaning(p), Judged: true, Sentence: sentence(p)}
	switch p.Verdict {
	case checker.Violated:
	case checker.Holds:
		if c.Details = figures(p); lossy(p) {
			c.Details = []string{share(p)}
		}
		return c
	default:
		c.Details = []string{shorten(c.Sentence, 90)}
		return c
	}
	for i, g := range all {
		if g.Subject == p.Subject && g.Property == p.Property {
			c.Causes = append(c.Causes, cause{groupID(i), string(g.Blame), g.Known, len(g.Violations)})
		}
	}
	return c
}
