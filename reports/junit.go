package reports

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
)

// These are the elements of JUnit's XML as Ant's task writes it, which what reads
// test results has in common.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Timestamp  string          `xml:"timestamp,attr"`
		Hostname   string          `xml:"hostname,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Class   string      `xml:"classname,attr"`
		Name    string      `xml:"name,attr"`
		Time    string      `xml:"time,attr"`
		Skipped *junitSkip  `xml:"skipped"`
		Error   *junitFault `xml:"error"`
		Failure *junitFault `xml:"failure"`
		Out     string      `xml:"system-out,omitempty"`
	}
	junitSkip struct {
		Message string `xml:"message,attr"`
	}
	junitFault struct {
		Type    string `xml:"type,attr"`
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit is junit.xml: one test case for each property of each subject, named after
// the property in the class of its subject, and one for the run as a whole. A
// violation that fails the run is a failure of the type of its blame; what is unknown
// or vacuous is an error, and skipped where it is only reported. What is allowed
// passes, and its sentence is the case's output. Cases have no time of their own.
func JUnit(r *Report) ([]byte, error) {
	result := r.result()
	length := fmt.Sprintf("%.3f", r.history().End.Seconds())
	suite := junitSuite{
		Name: visible(r.Scenario), Timestamp: r.Started.UTC().Format("2006-01-02T15:04:05"), Hostname: visible(r.Host), Time: length,
		Properties: []junitProperty{
			{"seed", fmt.Sprint(r.Seed)}, {"verdict", visible(string(result.Verdict))}, {"cluster", visible(r.ClusterKind)}, {"etcd", visible(r.EtcdVersion)},
			{"holdfast", visible(r.HoldfastVersion)}, {"command", oneLine(r.Command)},
		},
	}
	n := countFaults(r.history())
	for _, c := range []struct {
		name  string
		count int
	}{
		{"faults with evidence", n.verified}, {"faults without evidence", n.unverified}, {"faults whose moment never came", n.unfired},
		{"faults not injected", n.uninjected}, {"faults not healed", n.unhealed}, {"members that died unasked", len(result.Ends)},
	} {
		suite.Properties = append(suite.Properties, junitProperty{c.name, fmt.Sprint(c.count)})
	}
	for i := range result.Properties {
		p := &result.Properties[i]
		suite.add(r.caseOf(p), r.Scenario, p.Subject)
	}
	suite.add(r.wholeCase(result), r.Scenario, "")
	all := junitSuites{
		Name: "holdfast", Tests: suite.Tests, Failures: suite.Failures, Errors: suite.Errors, Time: length, Suites: []junitSuite{suite},
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	encoder := xml.NewEncoder(&b)
	encoder.Indent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

func (s *junitSuite) add(c junitCase, scenario, subject string) {
	c.Class, c.Time = visible("holdfast."+scenario+"."+subjectName(subject)), fmt.Sprintf("%.3f", time.Duration(0).Seconds())
	s.Cases = append(s.Cases, c)
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
}

// caseOf is the test case of a property.
func (r *Report) caseOf(p *checker.Property) junitCase {
	c := junitCase{Name: visible(p.Property)}
	switch {
	case p.Effect == checker.Violated:
		blame := "violated"
		if len(p.Violations) > 0 {
			blame = string(p.Violations[0].Blame)
		}
		c.Failure = &junitFault{Type: visible(blame), Message: oneLine(sentence(p)), Text: visible(r.proof(p))}
	case p.Effect == checker.Unknown || p.Effect == checker.Vacuous:
		why := sentence(p)
		if p.Undecided != "" {
			why = p.Undecided
		}
		c.Error = &junitFault{Type: string(p.Effect), Message: oneLine(why), Text: visible(string(p.Effect) + " is not a pass.")}
	case p.Verdict == checker.Unknown || p.Verdict == checker.Vacuous:
		c.Skipped = &junitSkip{Message: oneLine(string(p.Verdict) + ", and only reported: " + sentence(p))}
	case p.Verdict == checker.Violated:
		c.Out = visible(r.proof(p))
	default:
		c.Out = visible(strings.Join(figures(p), "\n"))
	}
	return c
}

// proof tells of each group of a property's violations, and of their worst the
// witness.
func (r *Report) proof(p *checker.Property) string {
	var b strings.Builder
	for _, g := range byCause(p) {
		worst := g.Violations[0]
		fmt.Fprintf(&b, "blame %s", g.Blame)
		if g.Known != "" {
			fmt.Fprintf(&b, ", known as %s", g.Known)
		}
		fmt.Fprintf(&b, ", %s; the worst: %s%s\n", plural(len(g.Violations), "violation"), where(worst), worst.Sentence)
		lines, left := witness(r.history(), worst)
		for _, w := range lines {
			fmt.Fprintf(&b, "  operation %d: %s %s %s, called %s, returned %s, %s\n", w.ID, w.Client, w.Kind, w.Object, w.Call, w.Return, w.Outcome)
		}
		if left > 0 {
			fmt.Fprintf(&b, "  and %s more\n", plural(left, "operation"))
		}
		if m := g.blamed(&r.history().Header); m.Prevent != "" {
			fmt.Fprintf(&b, "  %s %s\n", m.Means, m.Prevent)
		}
	}
	fmt.Fprintf(&b, "To see it again: %s\n", r.Command)
	return b.String()
}

// wholeCase is the test case of the run as a whole: it is at fault where the run is
// and no property alone accounts for that.
func (r *Report) wholeCase(result *checker.Result) junitCase {
	c := junitCase{Name: "run"}
	reasons := strings.Join(append(append([]string{}, result.Notes...), r.Warnings...), "\n")
	if result.Verdict == checker.Holds {
		c.Out = visible(reasons)
		return c
	}
	for i := range result.Properties {
		if result.Properties[i].Effect == result.Verdict {
			c.Out = visible(overall(result) + "\n" + reasons)
			return c
		}
	}
	c.Error = &junitFault{Type: visible(string(result.Verdict)), Message: oneLine(overall(result)), Text: visible(reasons)}
	return c
}
