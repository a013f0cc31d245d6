package holdfast

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/reports"
)

func TestScenariosOfTheCatalogueAreChosenByName(t *testing.T) {
	all := []string{"upstream/a", "upstream/b", "upstream/c"}
	for _, test := range []struct{ names, want []string }{
		{nil, all},
		{[]string{"b"}, []string{"upstream/b"}},
		{[]string{"upstream/b"}, []string{"upstream/b"}},
		{[]string{"c", "a", "upstream/c"}, []string{"upstream/a", "upstream/c"}},
	} {
		if got, err := chosen(all, test.names); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%q chooses %q, %v; want %q", test.names, got, err, test.want)
		}
	}
	for _, name := range []string{"d", "", "quick/a", "upstream/"} {
		if got, err := chosen(all, []string{"a", name}); err == nil || !strings.Contains(err.Error(), "holdfast list scenarios") {
			t.Errorf("%q chooses %q, %v", name, got, err)
		}
	}
	if rows, err := RunUpstream(context.Background(), CatalogueOptions{Names: []string{"no-such"}}); rows != nil || err == nil {
		t.Errorf("%v, %v", rows, err)
	}
}

// Each row names one defect, on a subject of etcd's, and a control.
func TestEveryRowOfTheCatalogueIsComplete(t *testing.T) {
	issues := make(map[string]bool)
	for _, k := range checker.KnownIssues() {
		issues[k.Issue] = true
	}
	names := UpstreamScenarios()
	if len(names) == 0 {
		t.Fatal("the catalogue is empty")
	}
	for _, name := range names {
		s, err := BuiltinScenario(name)
		if err != nil {
			t.Fatal(err)
		}
		row := upstreamRow(&s)
		if row.Name == "" || row.Mechanism == "" || row.Primitive == "" || len(row.Controls) == 0 || !issues[row.Known] {
			t.Errorf("%s: %+v", name, row)
		}
		subject, _ := s.subject(row.Subject)
		if subject.Origin != history.FromEtcd {
			t.Errorf("%s shows its defect on %s, which is of %s", name, row.Subject, subject.Origin)
		}
		if strings.HasPrefix(row.Known, "etcd#") != (row.Issue != "") {
			t.Errorf("%s: %s has the number %q", name, row.Known, row.Issue)
		}
		for _, control := range row.Controls {
			if subject, ok := s.subject(control); !ok || subject.Origin == history.FromEtcd {
				t.Errorf("%s has the control %s", name, control)
			}
		}
	}
}

// What a run showed is told by its mechanism, and everything else is an alarm.
func TestATrialTellsTheDefectFromEverythingElse(t *testing.T) {
	violation := func(known string, blame checker.Blame, to time.Duration) checker.Violation {
		return checker.Violation{Known: known, Blame: blame, To: to, Sentence: "it broke"}
	}
	property := func(subject, name string, verdict checker.Verdict, violations ...checker.Violation) checker.Property {
		return checker.Property{Subject: subject, Property: name, Verdict: verdict, Violations: violations, Sentence: "so it is"}
	}
	for name, test := range map[string]struct {
		properties []checker.Property
		verdict    checker.Verdict
		want       reports.Trial
	}{
		"found at the earliest": {[]checker.Property{
			property("s", "exclusion", checker.Violated, violation("k", checker.BlameLibrary, 5*time.Second)),
			property("s", "leftovers", checker.Violated, violation("other", checker.BlameLibrary, time.Second), violation("k", checker.BlameLibrary, 3*time.Second)),
			property("control", "exclusion", checker.Holds),
		}, checker.Holds, reports.Trial{Found: true, After: 2 * time.Second, Property: "leftovers", Sentence: "it broke"}},
		"another known defect, and a lease": {[]checker.Property{
			property("s", "leftovers", checker.Violated, violation("other", checker.BlameLibrary, 3*time.Second), violation("", checker.BlameLease, 3*time.Second)),
		}, checker.Vacuous, reports.Trial{Notes: []string{"why"}}},
		"what nothing explains": {[]checker.Property{
			property("s", "order", checker.Violated, violation("", checker.BlameServer, 3*time.Second)),
		}, checker.Violated, reports.Trial{Alarms: []string{"s order: it broke"}}},
		"anything on a control": {[]checker.Property{
			property("control", "leftovers", checker.Violated, violation("k", checker.BlameLibrary, 3*time.Second), violation("", checker.BlameLease, 3*time.Second)),
			property("control", "order", checker.Unknown),
			property("s", "order", checker.Unknown),
		}, checker.Unknown, reports.Trial{Alarms: []string{"control leftovers: it broke", "control leftovers: it broke", "control order is unknown: so it is"}, Notes: []string{"why"}}},
	} {
		j := &Judgement{Directory: "d", Report: &reports.Report{
			Result:  &checker.Result{Properties: test.properties, Verdict: test.verdict, Notes: []string{"why"}},
			History: &history.History{Events: []history.Event{{Kind: history.PhaseBegan, Detail: history.PhaseLoad, Time: time.Second}}},
		}}
		got := j.trial("s", "k")
		test.want.Directory, test.want.Etcd = "d", j.Info.Etcd
		if got.Found != test.want.Found || got.After != test.want.After || got.Property != test.want.Property || got.Sentence != test.want.Sentence ||
			!slices.Equal(got.Alarms, test.want.Alarms) || !slices.Equal(got.Notes, test.want.Notes) || got.Directory != "d" {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}

// The tables of the catalogues fit a terminal, whatever was found.
func TestTablesOfTheCataloguesFit(t *testing.T) {
	var upstream []reports.TrackRecord
	var server []reports.ServerRecord
	for i, name := range append(UpstreamScenarios(), ServerScenarios()...) {
		s, err := BuiltinScenario(name)
		if err != nil {
			t.Fatal(err)
		}
		row := upstreamRow(&s)
		for n := range 100 {
			row.Trials = append(row.Trials, reports.Trial{Found: true, After: time.Duration(n) * time.Minute, Alarms: make([]string, i%2)})
		}
		if s.Expect.Fixed == "" {
			upstream = append(upstream, row)
		} else {
			server = append(server, reports.ServerRecord{TrackRecord: row, Bad: s.Cluster.Etcd, Fixed: s.Expect.Fixed, Mended: row.Trials})
		}
	}
	var tables strings.Builder
	if err := errors.Join(reports.TrackRecordTable(upstream, &tables), reports.ServerRecordTable(server, &tables)); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(tables.String(), "\n")
	if len(lines) < len(upstream)+len(server) || len(server) == 0 {
		t.Fatalf("%d lines for %d and %d rows", len(lines), len(upstream), len(server))
	}
	for _, line := range lines {
		if len([]rune(line)) > 100 {
			t.Errorf("too wide: %s", line)
		}
	}
}

// A catalogue tells how far it is when a run begins and when it has ended, and one that
// is interrupted keeps what had ended.
func TestACatalogueTellsHowFarItIs(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs a scenario")
	}
	ctx, cancel := context.WithCancel(t.Context())
	var told []Standing
	rows, err := RunUpstream(ctx, CatalogueOptions{Names: []string{"mutex-shared-session"}, Runs: 3, Jobs: 1, Out: t.TempDir(), Status: func(now Standing) {
		if told = append(told, now); now.Done == 1 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || len(rows) != 1 || rows[0].Found() != 1 || len(rows[0].Trials) != 1 {
		t.Errorf("%+v, %v", rows, err)
	}
	if len(told) != 3 || told[0].Planned != 3 || !slices.Equal(told[1].Running, []string{"mutex-shared-session"}) || told[2].Found != 1 || told[2].Missed+told[2].Alarms+len(told[2].Running) != 0 {
		t.Errorf("it told %+v", told)
	}
}
