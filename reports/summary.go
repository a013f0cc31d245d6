package reports

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/etcd-holdfast/holdfast/checker"
)

// SummaryLimit is how many bytes a summary has at most: what GitHub takes of a
// step of a job.
const SummaryLimit = 1 << 20

// summaryGroups is how many groups of violations a summary tells of in full.
const summaryGroups = 50

// summaryEnds is of how many members' ends it tells that a fault explains.
const summaryEnds = 20

// Summary is summary.md, for the summary of a CI job, in GitHub's Markdown: the
// verdict, each violation's sentence, blame and what would have prevented it, the
// table of properties, the faults, and the command that repeats the run. It has at
// most SummaryLimit bytes.
func Summary(r *Report) []byte {
	result := r.result()
	all := groups(result)
	head := newHeadline(r, all)
	var b bytes.Buffer
	fmt.Fprintf(&b, "## %s holdfast: %s\n\n", head.Sign, markdown(head.Overall))
	fmt.Fprintf(&b, "Scenario **%s**, seed %d, etcd %s, cluster %s.\n\n", markdown(r.Scenario), r.Seed, markdown(r.EtcdVersion), markdown(r.ClusterKind))
	fmt.Fprintf(&b, "**%s.**\n\n", markdown(strings.TrimSuffix(head.Title, ".")))
	if head.Tested != "" {
		fmt.Fprintf(&b, "%s\n\n", markdown(head.Tested))
	}
	if head.Sentence != "" {
		fmt.Fprintf(&b, "> **%s**: %s\n\n", markdown(head.Where), markdown(head.Sentence))
	}
	if head.Blame.Word != "" {
		fmt.Fprintf(&b, "Blame **%s**: %s %s\n\n", markdown(head.Blame.Word), markdown(head.Blame.Means), markdown(head.Blame.Prevent))
	}
	for _, text := range head.Reported {
		fmt.Fprintf(&b, "Reported: %s\n\n", markdown(text))
	}
	fmt.Fprintf(&b, "To see it again: %s, with the `scenario.yaml` of the run directory.\n\n", code(r.Command))
	tail := summaryTail(r, result)
	for i, g := range all {
		text := summaryOf(r, g)
		if i == summaryGroups || b.Len()+len(text)+len(tail) > SummaryLimit*9/10 {
			fmt.Fprintf(&b, "%d more kinds of violations are in report.html.\n\n", len(all)-i)
			break
		}
		b.WriteString(text)
	}
	if b.Len()+len(tail) > SummaryLimit {
		tail = "The table of properties is too long for a summary; it is in report.html.\n"
	}
	b.WriteString(tail)
	return b.Bytes()
}

func summaryOf(r *Report, g *group) string {
	var b strings.Builder
	name := ""
	if g.Known != "" {
		name = ", known as " + g.Known
	}
	worst := g.Violations[0]
	m := g.blamed(&r.history().Header)
	fmt.Fprintf(&b, "<details><summary>%s: %s, blame %s%s</summary>\n\n", markdown(title(g.Subject, g.Property)), plural(len(g.Violations), "violation"), markdown(string(g.Blame)), markdown(name))
	fmt.Fprintf(&b, "%s%s\n\n%s %s\n\n</details>\n\n", markdown(where(worst)), markdown(worst.Sentence), markdown(m.Means), markdown(m.Prevent))
	return b.String()
}

// summaryTail is the tables below the violations.
func summaryTail(r *Report, result *checker.Result) string {
	var b strings.Builder
	if len(result.Properties) > 0 {
		b.WriteString("| subject | property | verdict | blame | known | count | what |\n|---|---|---|---|---|---:|---|\n")
	}
	for i := range result.Properties {
		p := &result.Properties[i]
		cells := row(p)
		m := verdictMeaning(p)
		cells[2] = m.Sign + " " + m.Word
		for k := range cells {
			cells[k] = markdown(cells[k])
		}
		fmt.Fprintf(&b, "| %s | %s |\n", strings.Join(cells, " | "), markdown(brief(p, 120)))
	}
	b.WriteString("\n")
	struck := map[string]*faultCounts{}
	var kinds []string
	for i := range r.history().Faults {
		f := &r.history().Faults[i]
		if struck[f.Kind] == nil {
			struck[f.Kind] = &faultCounts{}
			kinds = append(kinds, f.Kind)
		}
		struck[f.Kind].count(f)
	}
	if len(kinds) > 0 {
		b.WriteString("| fault | injected | with evidence | not injected | its moment never came | not healed |\n|---|---:|---:|---:|---:|---:|\n")
	}
	for _, kind := range kinds {
		c := struck[kind]
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d |\n", markdown(kind), c.verified+c.unverified, c.verified, c.uninjected, c.unfired, c.unhealed)
	}
	b.WriteString("\n")
	for _, e := range result.Ends[:min(len(result.Ends), summaryEnds)] {
		if e.Fault != "" { // a note tells of the others
			fmt.Fprintf(&b, "- %s\n", markdown(fmt.Sprintf("member %s died at %s (%s), as it may under %s", e.Member, at(e.At), e.How, e.Fault)))
		}
	}
	for _, note := range append(append([]string{}, result.Notes...), r.Warnings...) {
		fmt.Fprintf(&b, "- %s\n", markdown(note))
	}
	return b.String()
}

// markdown escapes text so that it is shown as it is: no HTML, no link, no table,
// no name that is told of it.
func markdown(text string) string {
	var b strings.Builder
	for _, c := range oneLine(text) {
		switch {
		case strings.ContainsRune("\\`*_{}[]()<>#+!|~@&$:^=", c):
			fmt.Fprintf(&b, "&#%d;", c)
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// code shows text as code.
func code(text string) string {
	text = oneLine(text)
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if len(fence) > 1 {
		return fence + " " + text + " " + fence
	}
	return fence + text + fence
}
