package reports

import (
	"strings"
	"testing"
	"time"
)

func TestServerRecordsCountBothVersions(t *testing.T) {
	found := Trial{Found: true, After: 2 * time.Second, Property: "durability", Sentence: "it vanished"}
	alarm := Trial{Alarms: []string{"mutex order: out of order"}, Directory: "runs/x"}
	for name, c := range map[string]struct {
		bad, fixed []Trial
		row        string
		kept       bool
	}{
		"as it should be":       {[]Trial{found, found}, []Trial{{}, {}}, "a  #1  3.5.4  2 of 2  2.0  3.5.5  0 of 2", true},
		"missed once":           {[]Trial{found, {}}, []Trial{{}, {}}, "a  #1  3.5.4  1 of 2  2.0  3.5.5  0 of 2", false},
		"shows where mended":    {[]Trial{found}, []Trial{found}, "a  #1  3.5.4  1 of 1  2.0  3.5.5  1 of 1", false},
		"something else shows":  {[]Trial{found}, []Trial{alarm}, "a  #1  3.5.4  1 of 1  2.0  3.5.5  1 of 1", false},
		"only the bad one ran":  {[]Trial{found}, nil, "a  #1  3.5.4  1 of 1  2.0  3.5.5  0 of 0", false},
		"nothing could be run":  {nil, nil, "a  #1  3.5.4  0 of 0  –  3.5.5  0 of 0", false},
		"an alarm on the bad 1": {[]Trial{{Found: true, After: 2 * time.Second, Alarms: alarm.Alarms}}, []Trial{{}}, "a  #1  3.5.4  1 of 1  2.0  3.5.5  0 of 1", true},
	} {
		row := ServerRecord{TrackRecord: TrackRecord{Name: "a", Subject: "mutex", Issue: "1", Known: "etcd#1", Mechanism: "x | y"}, Bad: "3.5.4", Fixed: "3.5.5"}
		for _, trial := range c.bad {
			row.Add(false, trial)
		}
		for _, trial := range c.fixed {
			row.Add(true, trial)
		}
		var table strings.Builder
		if err := ServerRecordTable([]ServerRecord{row}, &table); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(strings.Fields(strings.Split(table.String(), "\n")[1]), " "); got != strings.Join(strings.Fields(c.row), " ") || row.Kept() != c.kept {
			t.Errorf("%s: %q, kept %t", name, got, row.Kept())
		}
		page := string(ServerRecordMarkdown([]ServerRecord{row}, "holdfast server", time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)))
		for _, want := range []string{"`holdfast server` on 2026-11-27", "[#1](https://github.com/etcd-io/etcd/issues/1)", `x \| y`} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page lacks %q", name, want)
			}
		}
	}
}

func TestATrialOnTheMendedVersionIsTold(t *testing.T) {
	var row ServerRecord
	if line := row.Add(true, Trial{Notes: []string{"a fault had no effect"}}); line != "nothing, as it should be\n  note: a fault had no effect" {
		t.Errorf("%q", line)
	}
	if line := row.Add(true, Trial{Found: true, Property: "lease", Sentence: "too early", Directory: "runs/x"}); !strings.Contains(line, "FOUND") || !strings.Contains(line, "lease: too early") || !strings.HasSuffix(line, "runs/x") {
		t.Errorf("%q", line)
	}
}
