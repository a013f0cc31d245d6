package reports_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/reports"
)

func TestTableFitsItsWidth(t *testing.T) {
	all := []*reports.Report{hostileReport(), bigReport(6, 1, 30, 600, 10, 25*time.Second)}
	for _, example := range examples {
		all = append(all, example())
	}
	for _, r := range all {
		out, err := table(r)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(string(out), "\n") {
			if n := utf8.RuneCountInString(line); n > 100 {
				t.Errorf("%d columns: %s", n, line)
			}
			if strings.TrimRight(line, " ") != line {
				t.Errorf("spaces at the end of %q", line)
			}
		}
	}
}

func TestColorOnlyAddsColor(t *testing.T) {
	plain, err := table(violatedReport())
	if err != nil {
		t.Fatal(err)
	}
	var colored bytes.Buffer
	if err := (reports.Style{Color: true}).Table(violatedReport(), &colored); err != nil {
		t.Fatal(err)
	}
	stripped := strings.NewReplacer("\x1b[31m", "", "\x1b[32m", "", "\x1b[33m", "", "\x1b[0m", "").Replace(colored.String())
	if stripped != string(plain) || stripped == colored.String() {
		t.Error("the coloured table is not the plain one with colours")
	}
}

func TestLastLine(t *testing.T) {
	violated := func(blame checker.Blame, known string) checker.Property {
		return checker.Property{Verdict: checker.Violated, Violations: []checker.Violation{{Blame: blame, Known: known}}}
	}
	for _, c := range []struct {
		verdict    checker.Verdict
		properties []checker.Property
		want       string
		unfired    []string
	}{
		{checker.Holds, []checker.Property{{Verdict: checker.Holds}}, "holds", nil},
		{checker.Holds, []checker.Property{violated(checker.BlameLibrary, "etcd#2"), violated(checker.BlameLibrary, "etcd#1"), violated(checker.BlameLibrary, "etcd#2"), violated(checker.BlameLease, "")},
			"holds, with 2 known defects (etcd#1, etcd#2), 1 lease overlap", nil},
		{checker.Violated, []checker.Property{violated(checker.BlameServer, ""), {Verdict: checker.Holds}}, "violated: 1 of 2 properties broken", nil},
		{checker.Violated, []checker.Property{violated(checker.BlameLease, "")}, "violated: judged strictly, nothing is allowed, with 1 lease overlap", nil},
		{checker.Vacuous, []checker.Property{{Verdict: checker.Vacuous}}, "vacuous: 1 of 1 property never put to the test", nil},
		{checker.Unknown, []checker.Property{{Verdict: checker.Unknown}, {Verdict: checker.Vacuous}}, "unknown: 1 of 2 properties could not be decided", nil},
		{checker.Vacuous, []checker.Property{{Verdict: checker.Vacuous}}, "vacuous: 2 planned faults never had the moment to strike", []string{"fault 1", "fault 2"}},
	} {
		out, err := table(&reports.Report{Result: &checker.Result{Verdict: c.verdict, Properties: c.properties, Unfired: c.unfired}})
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimRight(string(out), "\n"), "\n")
		if got := lines[len(lines)-1]; got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// TestJSONHasEveryKey: also of what is not there.
func TestJSONHasEveryKey(t *testing.T) {
	out, err := reports.JSON(&reports.Report{
		Result:  &checker.Result{Verdict: checker.Holds, Properties: []checker.Property{{Verdict: checker.Holds}}},
		History: &history.History{Faults: []history.Fault{{From: 1204 * ms, To: 2*time.Second + 1}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"verdict":"holds","exit":0,"seed":0,"scenario":"","properties":[{"subject":"","property":"","verdict":"holds",` +
		`"effect":"","blame":"","known":"","count":0,"sentence":"","witness":[],"figures":{}}],` +
		`"faults":[{"fault":"","target":"","from":1.204,"to":2.000000001,"verified":false,"evidence":"","when":"","unfired":false,"uninjected":false,"unhealed":""}],` +
		`"unfired":[],"ended":[],"notes":[]}`
	var got bytes.Buffer
	if err := json.Compact(&got, out); err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(got.String()) != want {
		t.Errorf("got  %s\nwant %s", got.String(), want)
	}
	if !bytes.HasSuffix(out, []byte("}\n")) {
		t.Error("no newline at the end")
	}
}
