package reports

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/etcd-holdfast/holdfast/checker"
)

// tableWidth is how many columns the table takes at most.
const tableWidth = 100

// Style says how a table is printed. The zero value is plain text.
type Style struct {
	// Color adds ANSI colours to the verdicts.
	Color bool
}

// Table writes the verdict table as plain text; see [Style.Table].
func Table(r *Report, w io.Writer) error { return Style{}.Table(r, w) }

// Table writes the verdicts for a terminal, at most 100 columns wide: a line
// per subject and property, then every violation's whole sentence, notes and
// warnings, and in the last line the verdict of the run. It makes one Write.
func (s Style) Table(r *Report, w io.Writer) error {
	var b bytes.Buffer
	result := r.result()
	s.rows(&b, result)
	sentences(&b, result)
	for _, note := range result.Notes {
		paragraph(&b, "note: ", note)
	}
	if r.Ended != "" && r.Ended != Complete {
		paragraph(&b, "note: ", "the run did not end by itself: "+r.Ended)
	}
	for _, warning := range r.Warnings {
		paragraph(&b, "warning: ", warning)
	}
	if len(result.Notes) > 0 || len(r.Warnings) > 0 || r.Ended != "" && r.Ended != Complete {
		b.WriteByte('\n')
	}
	lines := wrap(oneLine(overall(result)), tableWidth)
	lines[0] = s.paint(verdictMeaning(&checker.Property{Verdict: result.Verdict}).Class, lines[0])
	b.WriteString(strings.Join(lines, "\n") + "\n")
	_, err := w.Write(b.Bytes())
	return err
}

// The columns but for the last, and how wide each may become.
var columns = []struct {
	title string
	limit int
}{{"SUBJECT", 18}, {"PROPERTY", 13}, {"VERDICT", 8}, {"BLAME", 8}, {"KNOWN", 12}, {"COUNT", 6}}

func (s Style) rows(b *bytes.Buffer, result *checker.Result) {
	if len(result.Properties) == 0 {
		return
	}
	cells := make([][]string, len(result.Properties))
	widths := make([]int, len(columns))
	for i := range result.Properties {
		cells[i] = row(&result.Properties[i])
	}
	for k, c := range columns {
		widths[k] = len(c.title)
		for i := range cells {
			cells[i][k] = shorten(cells[i][k], c.limit)
			widths[k] = max(widths[k], utf8.RuneCountInString(cells[i][k]))
		}
	}
	left := tableWidth
	for k, c := range columns {
		b.WriteString(pad(c.title, widths[k]) + "  ")
		left -= widths[k] + 2
	}
	b.WriteString("WHAT\n")
	for i := range cells {
		for k := range columns {
			text := pad(cells[i][k], widths[k])
			switch columns[k].title {
			case "VERDICT":
				text = s.paint(verdictMeaning(&result.Properties[i]).Class, text)
			case "COUNT":
				text = strings.Repeat(" ", widths[k]-utf8.RuneCountInString(cells[i][k])) + cells[i][k]
			}
			b.WriteString(text + "  ")
		}
		line := brief(&result.Properties[i], left)
		if line == "" {
			b.Truncate(len(bytes.TrimRight(b.Bytes(), " ")))
		}
		b.WriteString(line + "\n")
	}
	b.WriteByte('\n')
}

// row is the cells of one property, but for the last.
func row(p *checker.Property) []string {
	blame, issue, number := "", "", ""
	if len(p.Violations) > 0 {
		blame, issue = string(p.Violations[0].Blame), p.Violations[0].Known
		number = strconv.Itoa(len(p.Violations))
	}
	cells := []string{subjectName(p.Subject), p.Property, string(p.Verdict), blame, issue, number}
	for k := range cells {
		cells[k] = oneLine(cells[k])
	}
	return cells
}

// subjectName is what to call a subject; a property of the whole run has none.
func subjectName(subject string) string {
	if subject == "" {
		return "(run)"
	}
	return subject
}

// brief is what to say of a property in width columns: why, if it does not
// hold, and otherwise the figures.
func brief(p *checker.Property, width int) string {
	if p.Verdict == checker.Violated && len(p.Violations) > 0 {
		return shorten(oneLine(where(&p.Violations[0])+sentence(p)), width)
	}
	if p.Verdict != checker.Holds || len(p.Figures) == 0 {
		return shorten(oneLine(sentence(p)), width)
	}
	line := ""
	for _, text := range figures(p) {
		next := oneLine(text)
		if line != "" {
			next = line + ", " + next
		}
		if utf8.RuneCountInString(next) > width {
			break
		}
		line = next
	}
	return line
}

// where a violation shows: "a, 1.377–1.950 s: ".
func where(v *checker.Violation) string {
	out := at(v.From) + ": "
	if v.To > v.From {
		out = fmt.Sprintf("%.3f–%s: ", v.From.Seconds(), at(v.To))
	}
	if v.Object != "" {
		out = v.Object + ", " + out
	}
	return out
}

// sentence is the property's: for a violation the worst one's.
func sentence(p *checker.Property) string {
	if len(p.Violations) > 0 && p.Violations[0].Sentence != "" {
		return p.Violations[0].Sentence
	}
	return p.Sentence
}

// sentences writes in full why properties do not hold: each violation's, and
// once for all subjects what could not be decided or was never tested.
func sentences(b *bytes.Buffer, result *checker.Result) {
	violations(b, result)
	type reason struct {
		verdict            checker.Verdict
		property, sentence string
	}
	var reasons []reason
	subjects := map[reason][]string{}
	for i := range result.Properties {
		p := &result.Properties[i]
		if p.Verdict == checker.Holds || p.Verdict == checker.Violated || p.Sentence == "" {
			continue
		}
		r := reason{p.Verdict, p.Property, p.Sentence}
		if subjects[r] == nil {
			reasons = append(reasons, r)
		}
		subjects[r] = append(subjects[r], subjectName(p.Subject))
	}
	for _, r := range reasons {
		block(b, fmt.Sprintf("%s %s, %s:", strings.Join(subjects[r], ", "), r.property, r.verdict), r.sentence)
	}
}

// block writes a title and, indented, a sentence.
func block(b *bytes.Buffer, title, sentence string) {
	for _, line := range wrap(oneLine(title), tableWidth) {
		b.WriteString(line + "\n")
	}
	for _, line := range wrap(oneLine(sentence), tableWidth-2) {
		b.WriteString("  " + line + "\n")
	}
	b.WriteByte('\n')
}

func violations(b *bytes.Buffer, result *checker.Result) {
	for i := range result.Properties {
		p := &result.Properties[i]
		if p.Verdict != checker.Violated {
			continue
		}
		title := subjectName(p.Subject) + " " + p.Property
		if len(p.Violations) > 0 {
			v := &p.Violations[0]
			title += ", blame " + string(v.Blame)
			if v.Known != "" {
				title += ", known as " + v.Known
			}
			if n := len(p.Violations); n > 1 {
				title += fmt.Sprintf(", worst of %d", n)
			}
		}
		block(b, title+":", sentence(p))
	}
}

// paragraph writes text wrapped, the first line after label.
func paragraph(b *bytes.Buffer, label, text string) {
	for i, line := range wrap(oneLine(text), tableWidth-len(label)) {
		if i > 0 {
			label = strings.Repeat(" ", len(label))
		}
		b.WriteString(label + line + "\n")
	}
}

// paint colours text: green for good, red for bad, yellow for the rest.
func (s Style) paint(class, text string) string {
	if !s.Color {
		return text
	}
	color := "33"
	switch class {
	case "good":
		color = "32"
	case "bad":
		color = "31"
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}
