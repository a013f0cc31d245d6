package reports_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/reports"
)

// effective gives the properties the effects that the checker would note.
func effective(r *reports.Report) *reports.Report {
	for i := range r.Result.Properties {
		p := &r.Result.Properties[i]
		p.Effect = checker.Holds
		switch {
		case p.Verdict == checker.Unknown, p.Verdict == checker.Vacuous:
			p.Effect = p.Verdict
		case p.Fails(false):
			p.Effect = checker.Violated
		}
	}
	return r
}

// damaged is of a run that holds, and could not measure damage.
func damaged() *reports.Report {
	return report(&history.History{}, &checker.Result{Verdict: checker.Holds, Properties: []checker.Property{
		{Subject: "mutex", Property: checker.Exclusion, Verdict: checker.Holds, Effect: checker.Holds},
		{Subject: "mutex", Property: checker.Damage, Verdict: checker.Vacuous, Effect: checker.Holds, Sentence: "nothing was written"},
	}})
}

// reportsOfAllKinds are of runs of each verdict.
func reportsOfAllKinds() map[string]*reports.Report {
	return map[string]*reports.Report{
		"violated": effective(violatedReport()), "vacuous": effective(vacuousReport()), "cut short": effective(cutShortReport()), "holds": damaged(),
		"not judged": {Scenario: "quick"}, "what became of faults": effective(unluckyReport()),
	}
}

// unluckyReport is of a run whose faults did not all go as planned, and two members of
// which died.
func unluckyReport() *reports.Report {
	h := &history.History{End: 5 * 1000 * ms, Faults: []history.Fault{
		{ID: 1, Kind: "split", From: 100 * ms, To: 200 * ms, Verified: true, Evidence: "seen"},
		{ID: 2, Kind: "split", From: 300 * ms, To: 400 * ms, Evidence: "nothing was seen"},
		{ID: 3, Kind: "split", From: 500 * ms, Verified: true, Error: "no | way"},
		{ID: 4, Kind: "crash-member", When: "client waits", Unfired: true},
		{ID: 5, Kind: "crash-member", From: 600 * ms, To: 600 * ms, Uninjected: true, Evidence: history.NotInjected + "it is gone"},
	}}
	return report(h, &checker.Result{Verdict: checker.Unknown, Exit: 2, Unfired: []string{"fault 2 (crash-member when client waits)"}, Ends: []checker.MemberEnd{
		{Member: "m1", At: 1500 * ms, How: "signal: killed"}, {Member: "m2", At: 2500 * ms, How: "exit status 1", Fault: "full-disk m2"},
	}})
}

// What became of faults, and which members died, is told to machines.
func TestMachinesAreToldOfFaultsAndDeaths(t *testing.T) {
	r := effective(unluckyReport())
	text, err := reports.JSON(r)
	if err != nil {
		t.Fatal(err)
	}
	var verdict struct {
		Faults []struct {
			When                string
			Unfired, Uninjected bool
			Unhealed            string
		}
		Ended []struct {
			Member, How, Fault string
			At                 float64
		}
	}
	if err := json.Unmarshal(text, &verdict); err != nil {
		t.Fatal(err)
	}
	if f := verdict.Faults; len(f) != 5 || f[0].Unhealed != "" || f[2].Unhealed != "no | way" || !f[3].Unfired || f[3].When != "client waits" || f[3].Uninjected || !f[4].Uninjected || f[4].Unfired {
		t.Errorf("faults: %+v", f)
	}
	if e := verdict.Ended; len(e) != 2 || e[0].Member != "m1" || e[0].At != 1.5 || e[0].How != "signal: killed" || e[0].Fault != "" || e[1].Fault != "full-disk m2" {
		t.Errorf("ended: %+v", e)
	}
	_, unit := junit(t, r)
	for _, want := range []string{
		`"faults with evidence" value="2"`, `"faults without evidence" value="1"`, `"faults whose moment never came" value="1"`, `"faults not injected" value="1"`,
		`"faults not healed" value="1"`, `"members that died unasked" value="2"`,
	} {
		if !strings.Contains(string(unit), "<property name="+want) {
			t.Errorf("junit.xml lacks %s:\n%s", want, unit)
		}
	}
	summary := string(reports.Summary(r))
	for _, want := range []string{"| split | 3 | 2 | 0 | 0 | 1 |", "| crash-member | 0 | 0 | 1 | 1 | 0 |", "- member m2 died at 2.500 s (exit status 1), as it may under full-disk m2"} {
		if !strings.Contains(strings.NewReplacer("&#40;", "(", "&#41;", ")").Replace(summary), want) {
			t.Errorf("the summary lacks %q:\n%s", want, summary)
		}
	}
	metrics, err := reports.Metrics(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`holdfast_faults_total{fault="split",verified="true"} 2`, `holdfast_faults_missed_total{fault="crash-member",why="unfired"} 1`,
		`holdfast_faults_missed_total{fault="crash-member",why="uninjected"} 1`, `holdfast_faults_unhealed_total{fault="split"} 1`,
		`holdfast_members_ended_total{explained="false",member="m1"} 1`, `holdfast_members_ended_total{explained="true",member="m2"} 1`,
	} {
		if !strings.Contains(string(metrics), want+"\n") {
			t.Errorf("the metrics lack %s:\n%s", want, metrics)
		}
	}
	if strings.Contains(string(metrics), `holdfast_faults_total{fault="crash-member"`) {
		t.Error("faults that were not injected count as injected")
	}
}

// readSuites is what a reader of JUnit's XML makes of it.
type readSuites struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Suite    struct {
		Skipped int `xml:"skipped,attr"`
		Cases   []struct {
			Class   string `xml:"classname,attr"`
			Name    string `xml:"name,attr"`
			Failure *struct {
				Type    string `xml:"type,attr"`
				Message string `xml:"message,attr"`
				Text    string `xml:",chardata"`
			} `xml:"failure"`
			Error *struct {
				Type string `xml:"type,attr"`
			} `xml:"error"`
			Skipped *struct{} `xml:"skipped"`
			Out     string    `xml:"system-out"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func junit(t *testing.T, r *reports.Report) (read readSuites, text []byte) {
	t.Helper()
	text, err := reports.JUnit(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(text, &read); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return read, text
}

func TestJUnitCases(t *testing.T) {
	read, _ := junit(t, effective(violatedReport()))
	var got []string
	for _, c := range read.Suite.Cases {
		what := "passed"
		switch {
		case c.Failure != nil:
			what = "failed: " + c.Failure.Type
		case c.Error != nil:
			what = "error: " + c.Error.Type
		case c.Skipped != nil:
			what = "skipped"
		}
		got = append(got, c.Class+" "+c.Name+" "+what)
	}
	want := []string{
		"holdfast.quick.mutex exclusion passed", "holdfast.quick.mutex ownership passed", "holdfast.quick.ours exclusion failed: subject",
		"holdfast.quick.ours fencing error: unknown", "holdfast.quick.election ownership passed", "holdfast.quick.(run) durability passed", "holdfast.quick.(run) run passed",
	}
	if !slices.Equal(got, want) {
		t.Errorf("cases\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if read.Tests != 7 || read.Failures != 1 || read.Errors != 1 || read.Suite.Skipped != 0 {
		t.Errorf("%+v", read)
	}
	failure := read.Suite.Cases[2].Failure
	if violation := violatedReport().Result.Properties[2].Violations[0]; failure.Message != violation.Sentence {
		t.Errorf("message %q, want %q", failure.Message, violation.Sentence)
	}
	for _, part := range []string{"operation ", "To see it again: holdfast run"} {
		if !strings.Contains(failure.Text, part) {
			t.Errorf("%q lacks %q", failure.Text, part)
		}
	}
	if out := read.Suite.Cases[0].Out; !strings.Contains(out, "blame lease") {
		t.Errorf("what is allowed says %q", out)
	}

	read, _ = junit(t, damaged())
	if last := read.Suite.Cases[1]; last.Skipped == nil || read.Errors != 0 || read.Suite.Skipped != 1 {
		t.Errorf("what is only reported: %+v", read)
	}
	// A run that is at fault though no property is has a case that says so.
	cut := damaged()
	cut.Result.Verdict, cut.Result.Notes = checker.Unknown, []string{"the run was cut short"}
	read, _ = junit(t, cut)
	if last := read.Suite.Cases[2]; last.Error == nil || last.Error.Type != "unknown" {
		t.Errorf("the run as a whole: %+v", last)
	}
}

// The schema is checked by xmllint: there is no check of XML schemas in Go.
func TestJUnitSchema(t *testing.T) {
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		if os.Getenv("HOLDFAST_REQUIRE") == "1" {
			t.Fatalf("%v (Debian's libxml2-utils has it)", err)
		}
		t.Skip("xmllint is not there (Debian's libxml2-utils has it)")
	}
	lint := func(text []byte) error {
		file := filepath.Join(t.TempDir(), "junit.xml")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(xmllint, "--noout", "--schema", "testdata/junit.xsd", file).CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}
	all := reportsOfAllKinds()
	all["hostile"] = hostileReport()
	for name, r := range all {
		_, text := junit(t, r)
		if err := lint(text); err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
		if name != "holds" {
			continue
		}
		for _, bad := range []string{`tests="`, `classname="`} {
			if lint(bytes.Replace(text, []byte(bad), []byte("x"+bad), 1)) == nil {
				t.Errorf("the schema accepts a text without %s", bad)
			}
		}
	}
}

func TestVerdictSchema(t *testing.T) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(reports.VerdictSchema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("verdict.schema.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("verdict.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	validate := func(text []byte) error {
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(value)
	}
	for name, r := range reportsOfAllKinds() {
		text, err := reports.JSON(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Whatever key is added, left out or of another type is told: that is what holds
	// the schema and the code together.
	all := effective(violatedReport())
	all.Result.Ends = unluckyReport().Result.Ends
	text, err := reports.JSON(all)
	if err != nil {
		t.Fatal(err)
	}
	spoil := func(at func(map[string]any) map[string]any) {
		var whole map[string]any
		if err := json.Unmarshal(text, &whole); err != nil {
			t.Fatal(err)
		}
		object := at(whole)
		for key, value := range object {
			for _, bad := range []any{nil, struct{}{}} {
				if object[key] = bad; bad == nil {
					delete(object, key)
				}
				spoilt, err := json.Marshal(whole)
				if err != nil {
					t.Fatal(err)
				}
				if _, isFigures := value.(map[string]any); validate(spoilt) == nil && !(isFigures && bad != nil) {
					t.Errorf("accepted: %s is %v", key, bad)
				}
			}
			object[key] = value
		}
		object["another"] = 1
		spoilt, err := json.Marshal(whole)
		if err != nil {
			t.Fatal(err)
		}
		if validate(spoilt) == nil {
			t.Error("accepted: a key that nobody knows")
		}
	}
	first := func(key string) func(map[string]any) map[string]any {
		return func(whole map[string]any) map[string]any { return whole[key].([]any)[0].(map[string]any) }
	}
	spoil(func(whole map[string]any) map[string]any { return whole })
	spoil(first("properties"))
	spoil(first("faults"))
	spoil(first("ended"))
}

func TestSummary(t *testing.T) {
	text := string(reports.Summary(effective(violatedReport())))
	for _, part := range []string{
		"## ✗ holdfast: violated", "ours · exclusion", "Blame **subject**", "`holdfast run --seed 7 scenario.yaml`",
		"| subject | property |", "| ours | fencing | ? unknown |", "| fault | injected | with evidence |",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("the summary lacks %q:\n%s", part, text)
		}
	}
	hostileText := string(reports.Summary(hostileReport()))
	for _, bad := range []string{"<script", "<!--", "<svg", "{{.}}", "]]>"} {
		// The command is code, in which nothing is read as HTML or Markdown.
		if outside := strings.ReplaceAll(hostileText, codeSpan(hostileText), ""); strings.Contains(outside, bad) {
			t.Errorf("the summary has %q", bad)
		}
	}
	invisible(t, hostileText, "\n")
	// As many properties and violations as there may be, and it is still short enough.
	big := damaged()
	for i := range 9000 {
		p := checker.Property{Subject: fmt.Sprint("s", i), Property: "exclusion", Verdict: checker.Violated, Effect: checker.Violated}
		p.Violations = []checker.Violation{{Blame: checker.BlameSubject, Sentence: strings.Repeat("*long* ", 900)}}
		big.Result.Properties = append(big.Result.Properties, p)
	}
	if n := len(reports.Summary(big)); n > reports.SummaryLimit || n < 1000 {
		t.Errorf("a summary of %d bytes", n)
	}
}

// codeSpan is the last part of a text between backticks, with them.
func codeSpan(text string) string {
	line := text[strings.Index(text, "To see it again: ")+len("To see it again: "):]
	return line[:strings.Index(line, ", with the `scenario.yaml`")]
}

func TestAnnotations(t *testing.T) {
	text := string(reports.Annotations(effective(violatedReport())))
	for _, part := range []string{"::error title=holdfast%3A ours · exclusion::", "::warning title=holdfast%3A ours · fencing::unknown", "::notice title=holdfast%3A mutex · exclusion::"} {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in\n%s", part, text)
		}
	}
	hostileText := string(reports.Annotations(effective(hostileReport())))
	if hostileText == "" {
		t.Error("nothing of what is violated")
	}
	for line := range strings.Lines(hostileText) {
		if !strings.HasPrefix(line, "::error ") && !strings.HasPrefix(line, "::warning ") && !strings.HasPrefix(line, "::notice ") {
			t.Errorf("the line %q", line)
		}
	}
	if text := reports.Annotations(damaged()); len(text) != 0 {
		t.Errorf("nothing is wrong, and: %s", text)
	}
	cut := damaged()
	cut.Result.Verdict, cut.Result.Notes = checker.Unknown, []string{"the run was cut short"}
	if text := string(reports.Annotations(cut)); !strings.Contains(text, "::warning") || !strings.Contains(text, "cut short") {
		t.Errorf("of a run that is at fault as a whole: %q", text)
	}
}

func TestMetrics(t *testing.T) {
	read := func(r *reports.Report) map[string]map[string]float64 {
		t.Helper()
		text, err := reports.Metrics(r)
		if err != nil {
			t.Fatal(err)
		}
		again, err := reports.Metrics(r)
		if err != nil || !bytes.Equal(text, again) {
			t.Errorf("the second time it is another, %v", err)
		}
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		values := map[string]map[string]float64{}
		for name, family := range families {
			values[name] = map[string]float64{}
			for _, m := range family.Metric {
				var labels []string
				for _, l := range m.Label {
					labels = append(labels, l.GetValue())
				}
				values[name][strings.Join(labels, " ")] = m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
		return values
	}
	r := effective(violatedReport())
	values := read(r)
	for _, want := range []struct {
		name, labels string
		value        float64
	}{
		{"holdfast_run_exit_code", "", 1},
		{"holdfast_property_verdict", "exclusion ours violated", 1},
		{"holdfast_violations", "library etcd#19597 ownership election", 2},
		{"holdfast_figure", "overlap_max_ms exclusion mutex", 573},
	} {
		if got, ok := values[want.name][want.labels]; !ok || got != want.value {
			t.Errorf("%s of %q is %v, want %v; there are %v", want.name, want.labels, got, want.value, values[want.name])
		}
	}
	total, completed := 0.0, 0.0
	for _, n := range values["holdfast_operations_total"] {
		total += n
	}
	for _, n := range values["holdfast_operation_duration_seconds"] {
		completed += n
	}
	ended := 0
	for i := range r.History.Operations {
		if r.History.Operations[i].Completed() {
			ended++
		}
	}
	if int(total) != len(r.History.Operations) || int(completed) != ended || ended == 0 {
		t.Errorf("%v operations, %v of them completed; want %d, %d", total, completed, len(r.History.Operations), ended)
	}
	read(hostileReport())
	read(&reports.Report{})
}
